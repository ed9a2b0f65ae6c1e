//go:build unix

package listen

import "syscall"

// sockets says that a socket can be read and written without waiting.
const sockets = true

func readSocket(fd uintptr, b []byte) (int, error)  { return syscall.Read(int(fd), b) }
func writeSocket(fd uintptr, b []byte) (int, error) { return syscall.Write(int(fd), b) }
