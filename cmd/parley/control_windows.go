package main

import "net"

// listenPrivate makes a socket; who may use it is decided by the rights of its folder.
func listenPrivate(path string) (net.Listener, error) { return net.Listen("unix", path) }
