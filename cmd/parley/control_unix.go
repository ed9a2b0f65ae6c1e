//go:build unix

package main

import (
	"net"
	"syscall"
)

// listenPrivate makes a socket that nobody else can connect to at any moment. The mask is
// the process's: this happens at start, while nothing else makes files.
func listenPrivate(path string) (net.Listener, error) {
	defer syscall.Umask(syscall.Umask(0o177))
	l, err := net.Listen("unix", path)
	if err == nil {
		l.(*net.UnixListener).SetUnlinkOnClose(false) // removing does it, by the real name
	}
	return l, err
}
