//go:build unix

package store

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// lock keeps other processes from the store at path, until unlock or the end of this one.
// The lock is on a file beside it: closing a second descriptor of the store's own file
// would end the engine's locks.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("the store %s is in use: stop the parley that has it open", path)
		}
		return nil, fmt.Errorf("lock the store %s: %w", path, err)
	}
	return func() { f.Close() }, nil
}
