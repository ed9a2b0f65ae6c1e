package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"parley/config"
)

const root = "../../.."

func TestGeneratedFilesAreCurrent(t *testing.T) {
	files, err := generate(root)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		if got, err := os.ReadFile(filepath.Join(root, name)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what the structs of config say (%v): run go run ./tools/gen/config", name, err)
		}
	}
}

func TestEveryKeyHasASentence(t *testing.T) {
	structs, err := readStructs(filepath.Join(root, "config"))
	if err != nil {
		t.Fatal(err)
	}
	sentences := map[string]string{}
	if err := structs.collect("Config", "", sentences); err != nil {
		t.Fatal(err)
	}
	keys := config.Keys()
	for _, k := range keys {
		if sentences[k.Name] == "" {
			t.Errorf("%s has no sentence", k.Name)
		}
	}
	if len(keys) != len(sentences) {
		t.Errorf("%d keys, %d sentences", len(keys), len(sentences))
	}
}

func TestCommentThatIsNoSentenceIsRefused(t *testing.T) {
	dir := t.TempDir()
	src := "package config\ntype Config struct {\n\t// no full stop\n\tX int `toml:\"x\"`\n}\n"
	if err := os.WriteFile(filepath.Join(dir, "c.go"), []byte(src), 0o644); err != nil {
		t.Fatal(err)
	}
	structs, err := readStructs(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := structs.collect("Config", "", map[string]string{}); err == nil {
		t.Error("a comment without a full stop was taken")
	}
}
