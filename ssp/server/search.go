package server

import (
	"context"
	"crypto/rand"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"parley/im"
	"parley/ssp"
	"parley/ssp/session"
	"parley/ssp/wire"
)

// searchRows are those of searches, SSP 9.
var searchRows = []row{
	{"SearchRequest", (*Server).search},
	{"StopSearchRequest", (*Server).stopSearch},
}

const (
	mostAtOnce    = 100 // results in one answer; what asks for more is refused with 610
	usualAtOnce   = 20  // when the request does not say how many
	mostFindings  = 1000
	mostUnderWay  = 4                // of one peer at a time; else 503
	mostSearches  = 200              // of one peer that may be continued
	searchLasts   = 5 * time.Minute  // since it was last continued; then it is 535
	searchForgets = 15 * time.Minute // then 424
)

// rooms is what searches and message lists want of groups, where there are some.
type rooms interface {
	// find gives the groups that fit all pairs, by elements of SSP 9.2.1 that begin with GROUP_, as far as one may
	// know of them; asks is zero when a domain asks for itself.
	find(ctx context.Context, asks im.Address, pairs map[string]string) ([]ssp.Address, error)
	// history gives the last n messages said in a group, as one of its members may read them, the oldest first:
	// 800, 808, 821. SSP 12.3.7
	history(ctx context.Context, asks im.Address, group ssp.Address, n int, d wire.Dialect) ([]*wire.Element, error)
	// deliver keeps how messages of a group are delivered to one of its members: 800, 808. SSP 12.3.6
	deliver(ctx context.Context, asks im.Address, group ssp.Address, method string, longest int) error
}

// searches are those of a peer that may be continued.
type searches struct {
	mu   sync.Mutex // guards what follows
	m    map[string]*finding
	busy int // those that are under way: the directory is read from end to end
}

// finding is what was found. It is not changed, but for used.
type finding struct {
	id      string
	asks    im.Address
	limit   int
	used    time.Time
	users   []im.Address
	groups  []ssp.Address
	dialect wire.Dialect
}

func (f *finding) len() int { return len(f.users) + len(f.groups) }

// search begins a search, or continues one: SSP 9.2.1, 9.2.2, 9.3.1.
func (s *Server) search(p *peer, r *session.Request) error {
	asks, err := s.asks(p, r)
	if err != nil {
		return err
	}
	e := r.Primitive
	if id := e.Attr("searchID"); id != "" {
		f, err := p.searches.get(id, asks, time.Now())
		if err != nil {
			return err
		}
		return f.answer(r, wire.Int(e.Attr("searchIndex")), false)
	}
	q, err := readQuery(e)
	if err != nil {
		return err
	}
	if q.groups && !agreed(r, "CommonFeature/SearchGroup") {
		return wire.NotAgreed
	}
	if !p.searches.begin() {
		return wire.Unavailable
	}
	s.work.Go(func() { // ends with the directory, or with s.ctx
		f := &finding{id: rand.Text(), asks: asks, limit: q.limit, used: time.Now(), dialect: r.Link.Peer().Dialect}
		var err error
		if q.groups {
			f.groups, err = s.rooms.find(s.ctx, asks, q.pairs)
		} else {
			f.users, err = s.findUsers(p, asks, q)
		}
		p.searches.end()
		if err == nil {
			p.searches.put(f)
			err = f.answer(r, 0, true)
		}
		if err != nil {
			s.refuse(p, r, err)
		}
	})
	return nil
}

// query is what is searched for.
type query struct {
	pairs  map[string]string
	groups bool
	online string // "": whether or not
	limit  int
}

// readQuery reads the first request of a search: 402 for elements that there are none of, that come twice, or of users and
// of groups at once; 610 for more results than are given. SSP 9.2.1, 9.4.1.
func readQuery(e *wire.Element) (q query, err error) {
	q = query{pairs: map[string]string{}, online: e.Attr("searchOnlineStatus"), limit: wire.Int(e.Attr("searchLimit"))}
	if q.limit == 0 {
		q.limit = usualAtOnce
	}
	if q.limit > mostAtOnce {
		return q, wire.SearchLimit
	}
	first := true
	for p := range e.Children("SearchPairList") {
		name, text := strings.ToUpper(p.Child("SearchElement").String()), folded(p.Child("SearchString").String())
		group := false
		switch name {
		case "USER_ID", "USER_FIRST_NAME", "USER_LAST_NAME", "USER_EMAIL_ADDRESS", "USER_ALIAS", "USER_MOBILE_NUMBER":
		case "GROUP_ID", "GROUP_NAME", "GROUP_TOPIC", "GROUP_USER_ID_JOINED":
			group = true
		default:
			return q, wire.BadParameter
		}
		if _, twice := q.pairs[name]; twice || text == "" || !first && q.groups != group {
			return q, wire.BadParameter
		}
		first, q.groups, q.pairs[name] = false, group, text
	}
	if first {
		return q, wire.BadParameter
	}
	return q, nil
}

// folded is a text as it is searched.
func folded(s string) string { return cases.Fold().String(norm.NFKC.String(strings.TrimSpace(s))) }

// findUsers searches the directory: who is in it wants to be found. Whether they are there is told as far as the one who
// asks may see it.
func (s *Server) findUsers(p *peer, asks im.Address, q query) (l []im.Address, err error) {
	has := func(element, text string) bool {
		want, asked := q.pairs[element]
		return !asked || strings.Contains(folded(text), want)
	}
	found, err := s.x.Listed(s.ctx, mostFindings, func(a im.Account) bool {
		number, asked := q.pairs["USER_MOBILE_NUMBER"]
		return has("USER_ID", ssp.FormatUser(a.Address)) && has("USER_EMAIL_ADDRESS", a.Address.String()) && has("USER_ALIAS", a.Name) &&
			has("USER_FIRST_NAME", a.Profile.First) && has("USER_LAST_NAME", a.Profile.Last) &&
			(!asked || ssp.IsNumber(a.Address) && strings.TrimPrefix(a.Address.Local(), "+") == strings.TrimPrefix(number, "+"))
	})
	if err != nil {
		return nil, err
	}
	for _, a := range found {
		if q.online == "" || s.online(p, asks, a.Address) == (q.online == wire.Yes) {
			l = append(l, a.Address)
		}
	}
	return l, nil
}

func (s *Server) online(p *peer, asks, who im.Address) bool {
	if asks == nobody {
		return false
	}
	u, err := p.user(s.ctx, asks)
	if err != nil {
		return false
	}
	_, is, err := u.c.Fetch(s.ctx, who)
	return err == nil && is.State.Visible()
}

// answer gives the results behind an index, as many as were asked for: 425 for one that is out of range. The ID is told in
// the first answer. SSP 9.2.2; ssp-syntax 9.
func (f *finding) answer(r *session.Request, index int, first bool) error {
	if index > f.len() {
		return wire.BadSearchIndex
	}
	last := min(index+f.limit, f.len())
	answer := wire.New("SearchResponse", "searchFindings", strconv.Itoa(f.len()), "searchIndex", strconv.Itoa(last)).Add(wire.Status(wire.Successful, ""))
	if first {
		answer.Set("searchID", f.id)
	}
	if last > index {
		l := wire.New("SearchResult")
		for i := index; i < last; i++ {
			if i < len(f.users) {
				l.Add(userID(ssp.FormatUser(f.users[i])))
			} else {
				l.Add(wire.New("GroupID", "groupID", f.groups[i-len(f.users)].Format(f.dialect)))
			}
		}
		answer.Add(l)
	}
	r.Answer(answer)
	return nil
}

// stopSearch forgets a search: SSP 9.2.3, 9.3.2.
func (s *Server) stopSearch(p *peer, r *session.Request) error {
	asks, err := s.asks(p, r)
	if err != nil {
		return err
	}
	id := r.Primitive.Attr("searchID")
	if _, err := p.searches.get(id, asks, time.Now()); err != nil && err != wire.SearchTimedOut {
		return err
	}
	p.searches.drop(id)
	r.Answer(wire.Status(wire.Successful, ""))
	return nil
}

// get finds a search of whoever asks: 424 for one that there is none of, 535 for one that was left for too long.
func (l *searches) get(id string, asks im.Address, now time.Time) (*finding, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.m[id]
	switch {
	case f == nil || f.asks != asks || now.Sub(f.used) > searchForgets:
		return nil, wire.BadSearch
	case now.Sub(f.used) > searchLasts:
		return nil, wire.SearchTimedOut
	}
	f.used = now
	return f, nil
}

// put keeps a search, in the place of the one before of the same user: SSP 9.3.1.
func (l *searches) put(f *finding) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.m == nil {
		l.m = map[string]*finding{}
	}
	maps.DeleteFunc(l.m, func(_ string, o *finding) bool { return o.asks == f.asks || f.used.Sub(o.used) > searchForgets })
	if len(l.m) >= mostSearches {
		oldest := slices.MinFunc(slices.Collect(maps.Values(l.m)), func(a, b *finding) int { return a.used.Compare(b.used) })
		delete(l.m, oldest.id)
	}
	l.m[f.id] = f
}

func (l *searches) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.m)
}

func (l *searches) drop(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.m, id)
}

// begin reports whether a search may begin: a few of a peer's at a time.
func (l *searches) begin() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.busy >= mostUnderWay {
		return false
	}
	l.busy++
	return true
}

func (l *searches) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy--
}
