package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"parley/ssp/wire"
	"parley/transcript"
)

// SSP is judged by its tables, too: each transaction in both roles has code that begins or serves it and plays that show
// each of its requests with its answer, and each primitive is said in a play.

// lacking are rows that may be empty, with the reason: what others have to land before it can be shown.
var lacking = map[string]string{}

// where what SSP needs is looked for, from the top.
const (
	sspServer  = "ssp/server"
	sspSession = "ssp/session"
	sspPlays   = "testdata/plays"
)

// anybodysRequest is who asks for what no act of a client leads to.
var anybodysRequest = use{who: "server.Server.Request", file: "ssp/server/server.go"}

// said is a document in a play: what somebody says under an ID.
type said struct {
	ours, request bool
	id, primitive string
}

// shown is a play with the documents in it.
type shownPlay struct {
	use
	docs []said
}

// sspTable is what the tree has of SSP.
type sspTable struct {
	serves map[string][]use // by primitive: who takes it when it begins something
	makes  map[string][]use // by primitive: who makes it
	plays  []shownPlay
}

// readSSP reads the code of the door and the plays. A tree without them has no table.
func readSSP(root string) (*sspTable, error) {
	t := &sspTable{serves: map[string][]use{}, makes: map[string][]use{}}
	for _, dir := range []string{sspServer, sspSession} {
		files, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			if strings.HasSuffix(f, "_test.go") {
				continue
			}
			if err := t.code(f, dir+"/"+filepath.Base(f)); err != nil {
				return nil, err
			}
		}
	}
	if len(t.serves) == 0 {
		return nil, nil
	}
	scripts, err := transcript.Load(os.DirFS(filepath.Join(root, sspPlays)), "*/*.play")
	if err != nil {
		return nil, err
	}
	for _, s := range scripts {
		p := shownPlay{use: use{who: strings.TrimSuffix(s.Title, "."), file: sspPlays + "/" + s.Pos.File, play: true}}
		for _, st := range s.Steps {
			if st.Act != transcript.Direct {
				p.docs = append(p.docs, documents(strings.Join(append([]string{st.Head}, st.More...), " "), st.Act == transcript.Expect)...)
			}
		}
		if len(p.docs) > 0 {
			t.plays = append(t.plays, p)
		}
	}
	return t, nil
}

var unit = regexp.MustCompile(`mode='(Request|Response)' transactionID='([^']*)'>\s*<(\w+)`)

// documents are the transactions in what is said.
func documents(text string, ours bool) (l []said) {
	for _, m := range unit.FindAllStringSubmatch(text, -1) {
		l = append(l, said{ours, m[1] == "Request", m[2], m[3]})
	}
	return l
}

// code reads a file of the door: rows {"Primitive", (*Server).handler}, cases of a primitive's name, and calls of wire.New.
func (t *sspTable) code(file, rel string) error {
	tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	pkg := tree.Name.Name
	put := func(m map[string][]use, primitive, who string) {
		if _, ok := wire.Lookup(primitive); ok {
			m[primitive] = append(m[primitive], use{who: pkg + "." + who, file: rel})
		}
	}
	for _, d := range tree.Decls {
		who := ""
		if f, ok := d.(*ast.FuncDecl); ok {
			who = f.Name.Name
			if f.Recv != nil && len(f.Recv.List) > 0 {
				who = receiver(f.Recv.List[0].Type) + "." + who
			}
		}
		ast.Inspect(d, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CompositeLit:
				if len(n.Elts) == 2 && who == "" {
					if name, handler, ok := rowOf(n); ok {
						put(t.serves, name, handler)
					}
				}
			case *ast.CaseClause:
				for _, e := range n.List {
					if name, ok := text(e); ok && rel[:len(sspSession)] == sspSession {
						put(t.serves, name, who)
					}
				}
			case *ast.CallExpr:
				if f, ok := n.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "New" && len(n.Args) > 0 {
					if x, ok := f.X.(*ast.Ident); ok && x.Name == "wire" {
						if name, ok := text(n.Args[0]); ok {
							put(t.makes, name, who)
						}
					}
				}
			}
			return true
		})
	}
	return nil
}

// rowOf reads {"Primitive", (*Server).handler}, also with a function around the handler.
func rowOf(n *ast.CompositeLit) (primitive, handler string, ok bool) {
	primitive, ok = text(n.Elts[0])
	e := n.Elts[1]
	if call, around := e.(*ast.CallExpr); around && len(call.Args) == 1 {
		e = call.Args[0]
	}
	f, isMethod := e.(*ast.SelectorExpr)
	if !ok || !isMethod {
		return "", "", false
	}
	x := f.X
	if p, ok := x.(*ast.ParenExpr); ok {
		x = p.X
	}
	return primitive, receiver(x) + "." + f.Sel.Name, true
}

// text is the value of a string literal.
func text(e ast.Expr) (string, bool) {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(l.Value)
	return s, err == nil
}

// sspRole is one of the two that we have in a transaction.
type sspRole struct {
	name     string
	provides bool
}

var sspRoles = []sspRole{{"provider", true}, {"requestor", false}}

// says reports whether we say a step of a transaction in a role. In a login both sides do the same.
func (r sspRole) says(t *wire.Transaction, i int) bool {
	by := t.Steps[i].By
	if by == wire.Either { // who begins is the initiator: as requestor we are
		return r.provides == (i%2 == 1)
	}
	return r.provides == (by == wire.Provider || by == wire.ProviderToSecond)
}

// halves are the requests of a transaction with their answers: indexes of Steps; the second is -1 where nothing answers.
func halves(t *wire.Transaction) (l [][2]int) {
	if t.Name == loginTransaction {
		for i := range t.Steps {
			l = append(l, [2]int{i, -1})
		}
		return l
	}
	for i := 0; i < len(t.Steps); i += 2 {
		h := [2]int{i, -1}
		if i+1 < len(t.Steps) {
			h[1] = i + 1
		}
		l = append(l, h)
	}
	return l
}

// loginTransaction has another form than all others: ssp-syntax 5.1.
const loginTransaction = "Login"

// shows reports whether a play has a request of a transaction, with its answer, in a role.
func (p *shownPlay) shows(t *wire.Transaction, h [2]int, r sspRole) bool {
	for i, q := range p.docs {
		if q.primitive != t.Steps[h[0]].Primitive || q.ours != r.says(t, h[0]) {
			continue
		}
		if t.Name == loginTransaction {
			return true
		}
		if !q.request {
			continue
		}
		if h[1] < 0 {
			return true
		}
		for _, a := range p.docs[i:] {
			if !a.request && a.id == q.id && a.ours != q.ours && a.primitive == t.Steps[h[1]].Primitive {
				return true
			}
		}
	}
	return false
}

// row is a transaction in a role.
type sspRow struct {
	t     *wire.Transaction
	role  sspRole
	code  []use
	plays []use
	lacks []string // requests that no play shows with their answers
}

func (t *sspTable) rows() (l []sspRow) {
	for _, tr := range wire.Transactions() {
		for _, role := range sspRoles {
			r := sspRow{t: tr, role: role}
			for _, h := range halves(tr) {
				name, found := tr.Steps[h[0]].Primitive, false
				for i := range t.plays {
					if t.plays[i].shows(tr, h, role) {
						r.plays = append(r.plays, t.plays[i].use)
						found = true
					}
				}
				if !found && !(!role.provides && alsoBasic(tr, h)) {
					r.lacks = append(r.lacks, name)
				}
				switch {
				case role.says(tr, h[0]) && len(t.makes[name]) == 0:
					r.code = append(r.code, anybodysRequest)
				case role.says(tr, h[0]):
					r.code = append(r.code, t.makes[name]...)
				default:
					r.code = append(r.code, t.serves[name]...)
				}
			}
			r.plays, r.code = sortUses(r.plays), sortUses(r.code)
			l = append(l, r)
		}
	}
	return l
}

// alsoBasic reports whether a half of a complementary transaction is, for a requestor, a half of the basic one.
func alsoBasic(t *wire.Transaction, h [2]int) bool {
	return t.Complementary && (t.Steps[h[0]].Primitive == "InviteResponse" && t.Steps[h[0]].By == wire.Provider)
}

// empty lists what strictness does not bear, and what is excused although it is there.
func (t *sspTable) empty() (l []string) {
	excused := maps.Clone(lacking)
	miss := func(key, what string) {
		if _, ok := excused[key]; ok {
			delete(excused, key)
			return
		}
		l = append(l, "SSP: "+key+": "+what)
	}
	for _, r := range t.rows() {
		key := r.t.Name + " as " + r.role.name
		if len(r.lacks) > 0 {
			miss(key, "no play shows "+strings.Join(r.lacks, ", ")+" with the answer")
		}
		if len(r.code) == 0 {
			miss(key, "no code")
		}
	}
	for _, p := range wire.Primitives() {
		if len(t.saying(p.Name)) == 0 {
			miss(p.Name, "no play says it")
		}
	}
	for _, key := range slices.Sorted(maps.Keys(excused)) {
		l = append(l, "SSP: "+key+": it is there, and needs no excuse any more")
	}
	return l
}

// saying are the plays in which a primitive is said.
func (t *sspTable) saying(primitive string) (l []use) {
	for _, p := range t.plays {
		if slices.ContainsFunc(p.docs, func(d said) bool { return d.primitive == primitive }) {
			l = append(l, p.use)
		}
	}
	return l
}

// page writes the tables.
func (t *sspTable) page(b *strings.Builder) {
	b.WriteString("\n## SSP: transactions in both roles\n\n" +
		"Of each transaction of the semantics document: who serves or begins it when we are the provider, and when we are the requestor, and the plays in which it happens with its answer. " +
		"What no act of a client leads to is asked for by `parley domain request`.\n\n" +
		"| transaction | we are | code | plays |\n|---|---|---|---|\n")
	for _, r := range t.rows() {
		fmt.Fprintf(b, "| %s %s | %s | %s | %s |\n", r.t.Section, r.t.Name, r.role.name, links(r.code, ", "), links(r.plays, "<br>"))
	}
	b.WriteString("\n## SSP: primitives\n\n" +
		"Their information elements are those of the table in [ssp/wire](../ssp/wire), from which they are read, written and judged; each of them is tested from it: " +
		"left out in TestCardinality, there twice in TestTwice, with a wrong value in TestWrongValue, and where it is conditional both ways in TestConditional ([check_test.go](../ssp/wire/check_test.go)).\n\n" +
		"| primitive | elements | taken by | made by | plays |\n|---|---|---|---|---|\n")
	for _, p := range wire.Primitives() {
		fmt.Fprintf(b, "| %s %s | %d | %s | %s | %d |\n", p.Section, p.Name, len(p.Fields), links(sortUses(t.serves[p.Name]), ", "),
			links(sortUses(t.makes[p.Name]), ", "), len(t.saying(p.Name)))
	}
}
