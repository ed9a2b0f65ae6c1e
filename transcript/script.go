// Package transcript plays golden transcripts: dialogues of clients with a server, written as text, line by line as
// they ought to happen. It knows no protocol; how bytes are cut into things and compared is a Codec's.
//
//	# The same contact twice. Spec: draft 7.8, 7.11
//	C: ADD 7 FL bob@example.com Bob
//	S: ADD 7 FL ${serial} bob@example.com Bob
//	C: ADD 8 FL bob@example.com Bob
//	S: 215 8
//
//	# Two people talk. Spec: draft 8.7; dialects 7.3
//	alice.sb C: MSG 3 N ${len}
//	  MIME-Version: 1.0
//	  Content-Type: text/plain; charset=UTF-8
//	  .
//	  Wherefore?
//	bob.sb S: MSG alice@example.com Alice ${*}
//	  ${*}Wherefore?
//	@silence alice.sb
//	@advance 3m
//	@closed alice.sb
//
// A comment with "Spec:" in it begins a script: its title, and the sections that it shows. Other comments say
// nothing. C: is what a client says, S: the very next thing that it must hear; a name in front tells connections
// apart, and one that is used for the first time is opened. Lines that are indented continue the one before; the
// indent that all of them have is taken off, and a lone dot stands for an empty line. They are joined by CRLF, and
// none follows the last: bytes that end in CRLF are written with a lone dot at the end.
//
// In both, and in what directives are given:
//
//	${x}           learns, where something is heard, a word without blanks; from then on it is that word
//	${*}           anything at all, also nothing; only where something is heard
//	${f value}     what the caller's function f makes of a value: a learned one if there is one of that name
//	${hex 0d0a}    these bytes
//	${repeat 9 a}  that many of them
//	${len}         the length in bytes of the lines that continue (codec Lines)
//	${end}         at the end of what is said: no CRLF here (codec Lines)
//
// Directives, besides those of the caller:
//
//	@open NAME [WHERE...]  opens a connection that the script did not use before; the caller knows what WHERE means
//	@close NAME            closes it from the client's side
//	@closed NAME           the server has closed it, and nothing was unread
//	@silence [NAME] [D]    nothing came, on any connection if none is named; if D is given, for so long
//	@ignore NAME           from here on it does not matter what comes there
//	@advance D             lets time pass
//
// A script fails when a connection has something unread at its end.
package transcript

import (
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Pos is a place in a file of scripts. Lines are counted from 1.
type Pos struct {
	File string
	Line int
}

func (p Pos) String() string { return fmt.Sprintf("%s:%d", p.File, p.Line) }

// Script is one dialogue.
type Script struct {
	Title string
	Cites []string // the sections behind "Spec:", each with its document: draft 7.8
	Pos   Pos      // of the title
	Steps []Step
}

// Act is what a step is.
type Act uint8

const (
	Say    Act = iota // C:
	Expect            // S:
	Direct            // @
)

// Step is one line of a script with those that continue it.
type Step struct {
	Pos  Pos
	Act  Act
	Name string   // of the connection, "" if it has none; of a directive the word behind the @
	Head string   // the line, without its beginning
	More []string // the lines that continue it
}

// MovesClock reports whether a script can be played only where time can be moved: in a bubble of testing/synctest.
func (s Script) MovesClock() bool {
	return slices.ContainsFunc(s.Steps, func(st Step) bool {
		if st.Act != Direct {
			return false
		}
		switch w := strings.Fields(st.Head); st.Name {
		case "advance":
			return true
		case "silence":
			_, d, err := silence(w)
			return err == nil && d > 0
		}
		return false
	})
}

// Names are the connections of a script in the order in which they appear.
func (s Script) Names() []string {
	var l []string
	for _, st := range s.Steps {
		if st.Act != Direct && !slices.Contains(l, st.Name) {
			l = append(l, st.Name)
		}
	}
	return l
}

// Load reads the scripts of all files that match pattern (fs.Glob), in the order of their names. It is an error
// when there are none.
func Load(fsys fs.FS, pattern string) ([]Script, error) {
	files, err := fs.Glob(fsys, pattern)
	if err != nil {
		return nil, err
	}
	var l []Script
	for _, name := range files {
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		s, err := Parse(name, string(text))
		if err != nil {
			return nil, err
		}
		l = append(l, s...)
	}
	if len(l) == 0 {
		return nil, fmt.Errorf("no script in %s", pattern)
	}
	return l, nil
}

var (
	lineForm      = regexp.MustCompile(`^(?:([A-Za-z0-9][A-Za-z0-9._-]*)[ \t]+)?([CS]):(?:[ \t](.*))?$`)
	directiveForm = regexp.MustCompile(`^@([A-Za-z][A-Za-z0-9_-]*)(?:[ \t]+(.*))?$`)
)

// Parse reads the scripts in the text of a file. Errors begin with file and line. Blanks at the end of a line do not
// count: where they are meant, they are written ${hex 20}.
func Parse(name, text string) ([]Script, error) {
	p := parser{file: name}
	for i, line := range strings.Split(text, "\n") {
		if err := p.line(Pos{name, i + 1}, strings.TrimRight(line, " \t\r")); err != nil {
			return nil, err
		}
	}
	if err := p.endComment(); err != nil {
		return nil, err
	}
	p.endStep()
	for _, s := range p.scripts {
		if len(s.Steps) == 0 {
			return nil, fmt.Errorf("%s: the script says nothing", s.Pos)
		}
	}
	return p.scripts, nil
}

type parser struct {
	file     string
	scripts  []Script
	comment  []string // lines of the comment that is being read
	at       Pos      // of its first line
	open     bool     // an indented line would continue the last step
	indented []string
}

func (p *parser) line(pos Pos, line string) error {
	if strings.HasPrefix(line, "#") {
		p.endStep()
		if p.comment == nil {
			p.at = pos
		}
		p.comment = append(p.comment, strings.TrimSpace(strings.TrimLeft(line, "#")))
		return nil
	}
	if err := p.endComment(); err != nil {
		return err
	}
	if line == "" {
		p.endStep()
		return nil
	}
	if err := wellFormed(line); err != nil {
		return fmt.Errorf("%s: %w", pos, err)
	}
	if line[0] == ' ' || line[0] == '\t' {
		if !p.open {
			return fmt.Errorf("%s: an indented line continues nothing; write empty lines as a lone dot", pos)
		}
		p.indented = append(p.indented, line)
		return nil
	}
	p.endStep()
	if len(p.scripts) == 0 {
		return fmt.Errorf("%s: a file begins with a title: # What happens. Spec: draft 7.8", pos)
	}
	s := &p.scripts[len(p.scripts)-1]
	if m := lineForm.FindStringSubmatch(line); m != nil {
		act := Say
		if m[2] == "S" {
			act = Expect
		}
		s.Steps = append(s.Steps, Step{Pos: pos, Act: act, Name: m[1], Head: m[3]})
		p.open = true
		return nil
	}
	if m := directiveForm.FindStringSubmatch(line); m != nil {
		s.Steps = append(s.Steps, Step{Pos: pos, Act: Direct, Name: m[1], Head: m[2]})
		return nil
	}
	return fmt.Errorf("%s: %q is no line of a script: those begin with C:, S:, a name before these, @, # or blanks", pos, line)
}

// endStep gives the last step the lines that continue it.
func (p *parser) endStep() {
	if len(p.indented) > 0 {
		indent := p.indented[0]
		for _, l := range p.indented {
			blanks := l[:len(l)-len(strings.TrimLeft(l, " \t"))]
			for !strings.HasPrefix(blanks, indent) {
				indent = indent[:len(indent)-1]
			}
		}
		steps := p.scripts[len(p.scripts)-1].Steps
		more := &steps[len(steps)-1].More
		for _, l := range p.indented {
			if l = strings.TrimPrefix(l, indent); l == "." {
				l = ""
			}
			*more = append(*more, l)
		}
	}
	p.open, p.indented = false, nil
}

// endComment begins a script if the comment was a title. The sections end with their line, unless that ends in a
// comma or semicolon; what follows in the comment are remarks.
func (p *parser) endComment() error {
	lines := p.comment
	p.comment = nil
	n := slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, "Spec:") })
	if n < 0 {
		return nil
	}
	title, spec, _ := strings.Cut(strings.Join(lines[:n+1], " "), "Spec:")
	for _, l := range lines[n+1:] {
		if !strings.HasSuffix(spec, ",") && !strings.HasSuffix(spec, ";") {
			break
		}
		spec += " " + l
	}
	s := Script{Title: strings.TrimRight(title, ". \t"), Cites: cites(spec), Pos: p.at}
	if s.Title == "" || len(s.Cites) == 0 {
		return fmt.Errorf("%s: a title has words and sections: # What happens. Spec: draft 7.8, 7.11; RFC 6121 5", p.at)
	}
	p.scripts = append(p.scripts, s)
	return nil
}

// cites reads "draft 7.8, 7.11; RFC 6121 5": what begins with a digit is of the document before.
func cites(spec string) []string {
	var l []string
	document := ""
	for c := range strings.FieldsFuncSeq(spec, func(r rune) bool { return r == ',' || r == ';' }) {
		c = strings.TrimRight(strings.Join(strings.Fields(c), " "), ".")
		switch i := strings.LastIndexByte(c, ' '); {
		case c == "":
			continue
		case '0' <= c[0] && c[0] <= '9':
			c = strings.TrimSpace(document + " " + c)
		case i >= 0:
			document = c[:i]
		}
		l = append(l, c)
	}
	return l
}

// silence reads what stands behind @silence.
func silence(words []string) (name string, d time.Duration, err error) {
	if n := len(words); n > 0 && '0' <= words[n-1][0] && words[n-1][0] <= '9' {
		if d, err = time.ParseDuration(words[n-1]); err != nil {
			return "", 0, err
		}
		words = words[:n-1]
	}
	switch len(words) {
	case 0:
		return "", d, nil
	case 1:
		return words[0], d, nil
	}
	return "", 0, fmt.Errorf("@silence takes a name and a duration")
}
