//go:build !unix

package listen

import "errors"

// sockets is false: here a stream has a goroutine that waits in reading, and one while it writes.
const sockets = false

func readSocket(uintptr, []byte) (int, error)  { return 0, errors.ErrUnsupported }
func writeSocket(uintptr, []byte) (int, error) { return 0, errors.ErrUnsupported }
