// Command msnp writes docs/msnp.md from the tables of the MSNP servers and the comments of the code, and the tables of
// docs/clients.md from the package msnp/clients:
//
//	go run ./tools/gen/msnp
package main

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	root := flag.String("root", ".", "the `folder` of the module")
	flag.Parse()
	if err := write(*root); err != nil {
		fmt.Fprintln(os.Stderr, "msnp:", err)
		os.Exit(1)
	}
}

func write(root string) error {
	files, err := generate(root)
	for name, text := range files {
		err = cmp.Or(err, os.WriteFile(filepath.Join(root, name), []byte(text), 0o644))
	}
	return err
}

// generate makes the text of both pages, by their names below root.
func generate(root string) (map[string]string, error) {
	notification, err := readPackage(root, "msnp/notification")
	if err != nil {
		return nil, err
	}
	switchboard, err := readPackage(root, "msnp/switchboard")
	if err != nil {
		return nil, err
	}
	wire, err := readPackage(root, "msnp/wire")
	if err != nil {
		return nil, err
	}
	remarks, err := readRemarks(root)
	if err != nil {
		return nil, err
	}
	spoken, err := spokenPage(notification, switchboard, wire, remarks)
	if err != nil {
		return nil, err
	}
	old, err := os.ReadFile(filepath.Join(root, "docs", "clients.md"))
	if err != nil {
		return nil, err
	}
	clients, err := fill(string(old))
	if err != nil {
		return nil, err
	}
	return map[string]string{"docs/msnp.md": spoken, "docs/clients.md": clients}, nil
}
