package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// use is a citation and who makes it.
type use struct {
	citation
	who  string // switchboard.conn.cal, or the title of a play
	file string // from the top, with slashes
	at   string // file and line
	play bool
	test bool // by a test: must be right, and counts as neither code nor play
}

// remark is a comment that says where the code goes another way on purpose.
type remark struct{ text, file string }

// findings is what the tree has.
type findings struct {
	uses       []use
	deviations []remark // Deviates from ...
	compat     []remark // COMPAT client: ...
}

// scan reads the Go files and plays below root: not those of other modules, of hidden folders and of tools.
func scan(root string, all specs) (f findings, problems []string, err error) {
	err = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if rel == "." {
				return nil
			}
			if _, err := os.Stat(filepath.Join(p, "go.mod")); err == nil || rel == "tools" || d.Name()[0] == '.' || d.Name()[0] == '_' {
				return fs.SkipDir
			}
			return nil
		}
		var wrong []string
		switch {
		case strings.HasSuffix(rel, ".play"):
			wrong, err = f.play(p, rel, all)
		case strings.HasSuffix(rel, ".go") && !strings.Contains("/"+rel, "/testdata/"):
			wrong, err = f.code(p, rel, all)
		}
		problems = append(problems, wrong...)
		return err
	})
	return f, problems, err
}

// play reads the titles of a file of plays: "# Title. Spec: draft 7.8, 7.11".
func (f *findings) play(file, rel string, all specs) (problems []string, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	n, titled := 0, false
	for line := range strings.Lines(string(text)) {
		n++
		if !strings.HasPrefix(line, "#") {
			continue
		}
		title, spec, ok := strings.Cut(strings.TrimSpace(strings.TrimLeft(line, "#")), "Spec:")
		if !ok {
			continue
		}
		titled = true
		at := fmt.Sprintf("%s:%d", rel, n)
		l, err := citeLine(spec, all)
		if err != nil {
			problems = append(problems, at+": "+err.Error())
		}
		title = strings.TrimSuffix(strings.TrimSpace(title), ".")
		for _, c := range l {
			f.uses = append(f.uses, use{citation: c, who: title, file: rel, at: at, play: true})
		}
	}
	if !titled {
		problems = append(problems, rel+": a play begins with its title and what it shows: \"# Title. Spec: draft 7.8\"")
	}
	return problems, nil
}

// code reads the comments of a Go file.
func (f *findings) code(file, rel string, all specs) (problems []string, err error) {
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, file, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return []string{"cannot be read: " + strings.TrimPrefix(err.Error(), filepath.Dir(file)+"/")}, nil
	}
	test := strings.HasSuffix(rel, "_test.go")
	for _, g := range tree.Comments {
		text := g.Text()
		at := fmt.Sprintf("%s:%d", rel, fset.Position(g.Pos()).Line)
		for _, c := range cite(text, all) {
			f.uses = append(f.uses, use{citation: c, who: owner(tree, g, rel), file: rel, at: at, test: test})
		}
		if test {
			continue
		}
		lines := strings.Split(strings.TrimSpace(text), "\n")
		for i, line := range lines {
			rest := strings.Join(lines[i:], " ")
			if strings.HasPrefix(line, "Deviates from ") {
				f.deviations = append(f.deviations, remark{sentence(rest), rel})
			} else if rest, ok := strings.CutPrefix(rest, "COMPAT "); ok {
				f.compat = append(f.compat, remark{sentence(rest), rel})
			}
		}
	}
	return nil, nil
}

// sentence is a remark up to the next one of the same comment.
func sentence(s string) string {
	for _, next := range []string{" COMPAT ", " Deviates from "} {
		s, _, _ = strings.Cut(s, next)
	}
	return strings.TrimSpace(s)
}

// owner names the declaration that a comment belongs to: the one it documents, or inside which it stands.
func owner(tree *ast.File, g *ast.CommentGroup, rel string) string {
	pkg := strings.TrimSuffix(tree.Name.Name, "_test")
	if pkg == "main" {
		pkg = path.Base(path.Dir(rel))
	}
	for _, d := range tree.Decls {
		begin := d.Pos()
		var doc *ast.CommentGroup
		switch d := d.(type) {
		case *ast.FuncDecl:
			doc = d.Doc
		case *ast.GenDecl:
			doc = d.Doc
		}
		if doc != nil {
			begin = doc.Pos()
		}
		if g.Pos() < begin || g.Pos() > d.End() && !trailing(g, d) {
			continue
		}
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv != nil && len(d.Recv.List) > 0 {
				return pkg + "." + receiver(d.Recv.List[0].Type) + "." + d.Name.Name
			}
			return pkg + "." + d.Name.Name
		case *ast.GenDecl:
			if name := specName(d, g); name != "" {
				return pkg + "." + name
			}
		}
	}
	return "package " + pkg
}

// trailing says whether a comment follows the end of a one-line declaration: `var x = 1 // why`.
func trailing(g *ast.CommentGroup, d ast.Decl) bool {
	gen, ok := d.(*ast.GenDecl)
	if !ok || gen.Lparen.IsValid() || len(gen.Specs) != 1 {
		return false
	}
	switch s := gen.Specs[0].(type) {
	case *ast.ValueSpec:
		return s.Comment == g
	case *ast.TypeSpec:
		return s.Comment == g
	}
	return false
}

func receiver(t ast.Expr) string {
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name
		default:
			return "?"
		}
	}
}

// specName is the type a comment belongs to, or the first name of a group of constants or variables.
func specName(d *ast.GenDecl, g *ast.CommentGroup) string {
	for _, s := range d.Specs {
		switch s := s.(type) {
		case *ast.TypeSpec:
			if len(d.Specs) == 1 || s.Doc == g || g.Pos() >= s.Pos() && g.Pos() <= s.End() || s.Comment == g {
				return s.Name.Name
			}
		case *ast.ValueSpec:
			return s.Names[0].Name
		}
	}
	return ""
}

// sortUses brings uses of one section into the order of the page, each once.
func sortUses(l []use) []use {
	slices.SortFunc(l, func(a, b use) int { return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.who, b.who)) })
	return slices.CompactFunc(l, func(a, b use) bool { return a.file == b.file && a.who == b.who })
}
