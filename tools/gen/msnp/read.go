package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// code is the Go files of a package.
type code struct {
	dir   string
	fset  *token.FileSet
	files map[string]*ast.File // by name from the top
}

func readPackage(root, dir string) (*code, error) {
	c := &code{dir, token.NewFileSet(), map[string]*ast.File{}}
	names, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(c.fset, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		c.files[dir+"/"+filepath.Base(name)] = f
	}
	if len(c.files) == 0 {
		return nil, fmt.Errorf("%s: there is no package", dir)
	}
	return c, nil
}

// sorted are the files in order.
func (c *code) sorted() []string { return slices.Sorted(maps.Keys(c.files)) }

// table is the elements of a slice that a variable of the package has.
func (c *code) table(name string) ([]*ast.CompositeLit, error) {
	for _, file := range c.sorted() {
		for _, d := range c.files[file].Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, s := range g.Specs {
				v, ok := s.(*ast.ValueSpec)
				if !ok || v.Names[0].Name != name || len(v.Values) != 1 {
					continue
				}
				all, ok := v.Values[0].(*ast.CompositeLit)
				if !ok {
					return nil, fmt.Errorf("%s: %s is no table", c.dir, name)
				}
				var l []*ast.CompositeLit
				for _, e := range all.Elts {
					row, ok := e.(*ast.CompositeLit)
					if !ok {
						return nil, fmt.Errorf("%s: %s has a row that cannot be read", c.dir, name)
					}
					l = append(l, row)
				}
				return l, nil
			}
		}
	}
	return nil, fmt.Errorf("%s: there is no table %s", c.dir, name)
}

// said is a function or variable of the package, and the first sentence above it.
type said struct {
	name, sentence, file string
}

// about finds what a name means: a method of conn, or a function or variable.
func (c *code) about(name string, method bool) said {
	for _, file := range c.sorted() {
		for _, d := range c.files[file].Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.Name == name && method == (d.Recv != nil && text(d.Recv.List[0].Type) == "conn") && (method || d.Recv == nil) {
					return said{name, sentence(name, d.Doc.Text()), file}
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					if v, ok := s.(*ast.ValueSpec); ok && slices.ContainsFunc(v.Names, func(id *ast.Ident) bool { return id.Name == name }) {
						doc := v.Doc.Text()
						if len(d.Specs) == 1 {
							doc = d.Doc.Text()
						}
						return said{name, sentence(name, doc), file}
					}
				}
			}
		}
	}
	return said{name: name}
}

// field is the comment behind a field of a struct.
func (c *code) field(of, name string) string {
	for _, file := range c.sorted() {
		for n := range ast.Preorder(c.files[file]) {
			t, ok := n.(*ast.TypeSpec)
			if !ok || t.Name.Name != of {
				continue
			}
			st, ok := t.Type.(*ast.StructType)
			if !ok {
				continue
			}
			for _, f := range st.Fields.List {
				if slices.ContainsFunc(f.Names, func(id *ast.Ident) bool { return id.Name == name }) {
					return sentence(name, f.Comment.Text())
				}
			}
		}
	}
	return ""
}

var (
	citation = regexp.MustCompile(`[:,.]? *\(?\b(?:draft|dialects) [0-9][0-9., to-]*(?:(?:,|;)? *(?:draft|dialects) [0-9][0-9., to-]*)*\)?\.?$`)
	fullStop = regexp.MustCompile(`\.(?: |$)`)
)

// sentence is the first one of a comment, without the name that it begins with and the sections that it ends with.
func sentence(name, doc string) string {
	text := strings.Join(strings.Fields(strings.SplitN(doc, "\n\n", 2)[0]), " ")
	text, _, _ = strings.Cut(text, "COMPAT ")
	if at := fullStop.FindStringIndex(text); at != nil {
		text = text[:at[0]]
	}
	text = citation.ReplaceAllString(text, "")
	return strings.TrimSpace(strings.TrimPrefix(text, name+" "))
}

// text is an expression as it stands, as far as tables have them.
func text(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if s, err := strconv.Unquote(e.Value); err == nil {
			return s
		}
		return e.Value
	case *ast.Ident:
		return e.Name
	case *ast.ParenExpr:
		return text(e.X)
	case *ast.StarExpr:
		return text(e.X)
	case *ast.UnaryExpr:
		return text(e.X)
	case *ast.SliceExpr:
		return text(e.X)
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.BinaryExpr:
		return text(e.X) + " " + e.Op.String() + " " + text(e.Y)
	}
	return ""
}

// row is what clients may say.
type row struct {
	verb         string
	since, until int
	when         []string
	serve        said
}

func (c *code) rows() (l []row, err error) {
	table, err := c.table("rows")
	if err != nil {
		return nil, err
	}
	for _, e := range table {
		field := map[string]string{}
		for _, f := range e.Elts {
			if kv, ok := f.(*ast.KeyValueExpr); ok {
				field[text(kv.Key)] = text(kv.Value)
			}
		}
		r := row{verb: field["verb"], when: strings.Split(field["when"], " | "), serve: c.about(field["serve"], true)}
		r.since, err = strconv.Atoi(cmp.Or(field["since"], "-"))
		if err == nil {
			r.until, err = strconv.Atoi(cmp.Or(field["until"], "-"))
		}
		if err != nil || r.verb == "" || r.serve.file == "" {
			return nil, fmt.Errorf("%s: a row cannot be read: %v, %v", c.dir, field, err)
		}
		l = append(l, r)
	}
	return l, nil
}

// shape is what servers say in more than one form.
type shape struct {
	says         string
	since, until int
	by           []said
}

func (c *code) shapes() (l []shape, err error) {
	table, err := c.table("shapes")
	if err != nil {
		return nil, err
	}
	for _, e := range table {
		if len(e.Elts) != 4 {
			return nil, fmt.Errorf("%s: a shape cannot be read", c.dir)
		}
		s := shape{says: text(e.Elts[0])}
		s.since, err = strconv.Atoi(text(e.Elts[1]))
		if err == nil {
			s.until, err = strconv.Atoi(text(e.Elts[2]))
		}
		f, ok := e.Elts[3].(*ast.FuncLit)
		if err != nil || !ok {
			return nil, fmt.Errorf("%s: the shape %s cannot be read: %v", c.dir, s.says, err)
		}
		for n := range ast.Preorder(f.Body) {
			if a, ok := n.(*ast.AssignStmt); ok {
				for i, x := range a.Rhs {
					if name := text(x); name != "true" {
						by := c.about(name, false)
						if part, ok := x.(*ast.SliceExpr); ok && part.High != nil {
							by.sentence += ", up to " + text(part.High)
						}
						s.by = append(s.by, by)
					} else {
						s.by = append(s.by, said{sentence: c.field("voice", text(a.Lhs[i]))})
					}
				}
			}
		}
		l = append(l, s)
	}
	return l, nil
}

// payload is a verb with a payload.
type payload struct {
	verb, from   string
	since, until int
}

func (c *code) payloads() (l []payload, err error) {
	table, err := c.table("payloads")
	if err != nil {
		return nil, err
	}
	for _, e := range table {
		if len(e.Elts) != 4 {
			return nil, fmt.Errorf("%s: a payload cannot be read", c.dir)
		}
		p := payload{verb: text(e.Elts[0]), from: text(e.Elts[1])}
		p.since, err = strconv.Atoi(text(e.Elts[2]))
		if err == nil {
			p.until, err = strconv.Atoi(text(e.Elts[3]))
		}
		if err != nil {
			return nil, err
		}
		l = append(l, p)
	}
	return l, nil
}

var verb = regexp.MustCompile(`^([A-Z]{3})(?:[ \r].*)?$`)

// writes are the verbs in what the package writes, and the functions that do; known are all that there are. Where an answer
// repeats the verb of its request, those of the rows count that the function serves.
func (c *code) writes(known map[string]bool, rows []row) map[string][]said {
	all := map[string][]said{}
	for _, file := range c.sorted() {
		for _, d := range c.files[file].Decls {
			name := ""
			switch d := d.(type) {
			case *ast.FuncDecl:
				name = d.Name.Name
			case *ast.GenDecl:
				if v, ok := d.Specs[0].(*ast.ValueSpec); ok {
					name = v.Names[0].Name
				}
			}
			if name == "rows" || name == "shapes" {
				continue
			}
			add := func(v string) {
				if s := (said{name: name, file: file}); known[v] && !slices.Contains(all[v], s) {
					all[v] = append(all[v], s)
				}
			}
			ast.Inspect(d, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.BinaryExpr:
					if n.Op == token.EQL || n.Op == token.NEQ {
						return false // what was said is looked at
					}
				case *ast.CallExpr:
					if text(n.Fun) == "AppendMessage" {
						add("MSG")
					}
					if text(n.Fun) == "Reply" && len(n.Args) > 0 && text(n.Args[0]) == "Verb" {
						for _, r := range rows {
							if r.serve.name == name {
								add(r.verb)
							}
						}
					}
				case *ast.BasicLit:
					if m := verb.FindStringSubmatch(strings.TrimRight(text(n), "\r\n")); m != nil {
						add(m[1])
					}
				}
				return true
			})
		}
	}
	return all
}

// verbs are all that the protocol has: the words of a table of names.
func (c *code) verbs() (map[string]bool, error) {
	all := map[string]bool{}
	for _, file := range c.sorted() {
		for n := range ast.Preorder(c.files[file]) {
			v, ok := n.(*ast.ValueSpec)
			if !ok || v.Names[0].Name != "known" {
				continue
			}
			for n := range ast.Preorder(v) {
				if lit, ok := n.(*ast.BasicLit); ok {
					all[text(lit)] = true
				}
			}
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: there is no table known", c.dir)
	}
	return all, nil
}

// remark is a place where the code goes the way of one client.
type remark struct {
	client, why, file string
	line              int
}

// readRemarks finds all of them, in all Go files of the product.
func readRemarks(root string) (l []remark, err error) {
	err = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		switch {
		case d.IsDir() && (rel == "tools" || d.Name() == "testdata" || rel != "." && d.Name()[0] == '.'):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(rel, ".go") || strings.HasSuffix(rel, "_test.go"):
			return nil
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, p, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, g := range f.Comments {
			for _, r := range remarks(g.Text()) {
				r.file, r.line = rel, fset.Position(g.Pos()).Line
				l = append(l, r)
			}
		}
		return nil
	})
	slices.SortStableFunc(l, func(a, b remark) int { return cmp.Or(cmp.Compare(a.file, b.file), a.line-b.line) })
	return l, err
}

// remarks are those of one comment: each up to the next one, or to the end of its paragraph.
func remarks(comment string) (l []remark) {
	for part := range strings.SplitSeq(comment, "\n\n") {
		pieces := strings.Split(strings.Join(strings.Fields(part), " "), "COMPAT ")
		for _, piece := range pieces[1:] {
			client, why, ok := strings.Cut(piece, ": ")
			if !ok {
				continue
			}
			why = strings.TrimSpace(citation.ReplaceAllString(strings.TrimSpace(why), ""))
			if why != "" && !strings.HasSuffix(why, ".") {
				why += "."
			}
			l = append(l, remark{client: client, why: strings.ToUpper(why[:1]) + why[1:]})
		}
	}
	return l
}
