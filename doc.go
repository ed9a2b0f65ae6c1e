// Package parley holds no code: the service is the command in cmd/parley. Its tests keep the order of the house,
// which package may import which (docs/architecture.md).
package parley
