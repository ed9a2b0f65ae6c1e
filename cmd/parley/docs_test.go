package main

import (
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestDocumentedCommands runs every command that the documents show, in their order, as far as
// it is one of ours; make's targets must exist, and so must the files of ours that others name.
func TestDocumentedCommands(t *testing.T) {
	for name, least := range map[string]int{"README.md": 10, "docs/operations.md": 20, "docs/clients.md": 6} {
		t.Run(name, func(t *testing.T) {
			d := newDocument(t, name)
			for _, line := range d.lines {
				d.run(t, line)
			}
			if d.ran < least {
				t.Errorf("%d commands were run, at least %d should be there: are they no sh blocks any more?", d.ran, least)
			}
		})
	}
}

// document is a page whose commands are run in a folder of its own.
type document struct {
	dir     string
	lines   []string // of its sh blocks
	service *process // the one started last
	ran     int
}

func newDocument(t *testing.T, name string) *document {
	b, err := os.ReadFile(filepath.Join(repository(), name))
	if err != nil {
		t.Fatal(err)
	}
	d := &document{dir: t.TempDir()}
	kind := ""
	var config strings.Builder
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSuffix(line, "\n")
		switch fence, ok := strings.CutPrefix(line, "```"); {
		case ok && kind == "":
			kind = fence
		case ok:
			kind = ""
		case kind == "sh":
			d.lines = append(d.lines, line)
		case kind == "toml":
			config.WriteString(line + "\n")
		}
	}
	// What the page says stands in /etc.
	if err := os.MkdirAll(d.path("/etc/parley"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.path("/etc/parley/parley.toml"), []byte(config.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if d.service != nil {
			d.service.kill()
		}
	})
	return d
}

// path is where a path of the document is in the test.
func (d *document) path(p string) string { return filepath.Join(d.dir, "root", p) }

var (
	comment  = regexp.MustCompile(`\s+#.*$`)
	ourPart  = regexp.MustCompile(`(?:^|.*[ /])parley ((?:` + strings.Join(nouns(), "|") + `)(?: .*)?)$`)
	listens  = regexp.MustCompile(` --listen \S+`)
	absolute = regexp.MustCompile(`(^| )(/(?:etc|var|data)\S*)`)
	ourFile  = regexp.MustCompile(`dist/[A-Za-z.]+`)
)

// nouns are the first words of all commands.
func nouns() (l []string) {
	for _, c := range commands() {
		noun, _, _ := strings.Cut(c.name, " ")
		l = append(l, noun)
	}
	return slices.Compact(l)
}

const anyPort = " --listen ssp://127.0.0.1:0 --listen msnp://127.0.0.1:0 --listen xmpp://127.0.0.1:0 --listen http://127.0.0.1:0" +
	" --listen passport://127.0.0.1:0 --listen msnp-http://127.0.0.1:0"

func (d *document) run(t *testing.T, line string) {
	line = comment.ReplaceAllString(line, "")
	for _, f := range ourFile.FindAllString(line, -1) {
		if _, err := os.Stat(filepath.Join(repository(), f)); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
	if targets, ok := strings.CutPrefix(line, "make "); ok {
		d.ran++
		for target := range strings.FieldsSeq(targets) {
			if !makes(t, target) {
				t.Errorf("%s: there is no target %s", line, target)
			}
		}
		if targets != "run" {
			return
		}
		line = "parley quickstart" // what the target does
	}
	if url, ok := strings.CutPrefix(line, "curl "); ok {
		d.ran++
		d.get(t, strings.Replace(url, "127.0.0.1:9280", d.service.addresses()["http"], 1))
		return
	}
	pipe, last, piped := strings.Cut(line, " | ")
	if !piped {
		pipe, last = "true", line
	}
	m := ourPart.FindStringSubmatch(last)
	if m == nil {
		if word, _, _ := strings.Cut(line, " "); !slices.Contains([]string{"", "sudo", "podman"}, word) {
			t.Errorf("%q is nothing that this test knows: teach it, or write it in another way", line)
		}
		return
	}
	d.ran++
	args := absolute.ReplaceAllStringFunc(m[1], func(s string) string { return " " + d.path(strings.TrimSpace(s)) })
	d.parley(t, pipe, args)
}

// parley runs a command line of ours, with what stands before the pipe.
func (d *document) parley(t *testing.T, pipe, args string) {
	name, _, _ := strings.Cut(args, " ")
	switch {
	case name == "serve" || name == "quickstart":
		if d.service != nil {
			if err := d.service.stop(); err != nil {
				t.Error(err)
			}
		}
		cmd := d.shell("exec parley " + listens.ReplaceAllString(args, "") + anyPort)
		var err error
		if d.service, err = startProcess(cmd); err != nil {
			t.Fatalf("parley %s: %v", args, err)
		}
		return
	case name == "check":
		args += anyPort // the usual ports may be somebody's
	case name == "chat":
		who := strings.Fields(args)[1]
		door := "msnp"
		if strings.Contains(args, "xmpp") {
			door = "xmpp"
		}
		args += " --password-stdin --server " + d.service.addresses()[door]
		pipe = `sed -n 's/^` + who + ` //p' parley-data/demo-accounts; echo /quit`
	case strings.HasPrefix(args, "domain add"):
		args += " --password-stdin"
		pipe = "echo shared"
	case (strings.HasPrefix(args, "account add") || strings.HasPrefix(args, "account password")) && !strings.Contains(args, "--password-stdin"):
		args += " --password-stdin"
		pipe = "echo secret"
	}
	if out, err := d.shell("{ " + pipe + "; } | parley " + args).CombinedOutput(); err != nil {
		t.Errorf("parley %s: %v\n%s", args, err, out)
	}
}

func (d *document) shell(line string) *exec.Cmd {
	cmd := exec.Command("sh", "-c", line)
	cmd.Dir = d.dir
	return cmd
}

func (d *document) get(t *testing.T, url string) {
	ctx, cancel := patient()
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Error(err)
		return
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("%s: %s", url, resp.Status)
	}
}

func makes(t *testing.T, target string) bool {
	b, err := os.ReadFile(filepath.Join(repository(), "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(target) + `:`).Match(b)
}

// TestTroubleshootingNamesRealMessages: what operations.md explains is what the program says.
func TestTroubleshootingNamesRealMessages(t *testing.T) {
	var source strings.Builder
	err := filepath.WalkDir(repository(), func(p string, e fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(p, ".go") && !strings.HasSuffix(p, "_test.go") {
			var b []byte
			b, err = os.ReadFile(p)
			source.Write(b)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(repository(), "docs/operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "| message | what to do |")
	n := 0
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(table, -1) {
		n++
		for _, part := range regexp.MustCompile(`\.\.\.|[0-9]+`).Split(m[1], -1) {
			if !strings.Contains(source.String(), strings.TrimSpace(part)) {
				t.Errorf("%q: nothing says %q", m[1], part)
			}
		}
	}
	if n < 10 {
		t.Errorf("only %d messages found", n)
	}
}

// TestPagesAreLinked: a link between the pages leads to a file that is there, or that make docs
// and the benchmark write.
func TestPagesAreLinked(t *testing.T) {
	written := []string{"docs/conformance.md", "docs/performance.md", "docs/architecture.md"}
	for _, name := range []string{"README.md", "docs/operations.md", "docs/security.md", "docs/commands.md", "docs/clients.md", "docs/msnp.md"} {
		b, err := os.ReadFile(filepath.Join(repository(), name))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\]\(([^)#:]+)\)`).FindAllStringSubmatch(string(b), -1) {
			to := filepath.Join(filepath.Dir(name), m[1])
			if _, err := os.Stat(filepath.Join(repository(), to)); err != nil && !slices.Contains(written, to) {
				t.Error(fmt.Errorf("%s: %w", name, err))
			}
		}
	}
}

// TestUnitAndContainerfile: the command lines that they run are good ones.
func TestUnitAndContainerfile(t *testing.T) {
	for file, line := range map[string]*regexp.Regexp{
		"dist/parley.service": regexp.MustCompile(`(?m)^ExecStart=/usr/local/bin/parley (.*)$`),
		"dist/Containerfile":  regexp.MustCompile(`(?m)^CMD \[(.*)\]$`),
	} {
		b, err := os.ReadFile(filepath.Join(repository(), file))
		if err != nil {
			t.Fatal(err)
		}
		m := line.FindStringSubmatch(string(b))
		if m == nil {
			t.Errorf("%s: no command in it", file)
			continue
		}
		args := strings.Fields(strings.NewReplacer(`"`, "", ",", " ").Replace(m[1]))
		c, rest, err := find(commands(), args)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		fs, _ := c.flagSet()
		if plain, err := parseMixed(fs, rest); err != nil || c.count(plain) != nil {
			t.Errorf("%s: %v: %v", file, args, err)
		}
	}
}
