//go:build race

package main

// raceDetector: the service of the tests runs under the race detector, which takes memory and bears
// 8,128 goroutines.
const raceDetector = true
