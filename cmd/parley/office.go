package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"parley/credential"
	"parley/exchange"
	"parley/im"
	"parley/ssp/wire"
)

// desk is who does what the account commands want: the office of this process, or over the
// control socket the one of the process that serves.
type desk interface {
	do(ctx context.Context, r request) (answer, error)
	Close() error
}

// request is one act. It travels to a running service as JSON, over a socket that only the
// owner of the data folder can reach, so the passwords in it are plain.
type request struct {
	Act      string            `json:"act"`
	Address  string            `json:"address,omitempty"`
	Password string            `json:"password,omitempty"`
	Name     string            `json:"name,omitempty"`
	Profile  map[string]string `json:"profile,omitempty"`
	After    string            `json:"after,omitempty"` // list: from the one after this address
	Rows     []importRow       `json:"rows,omitempty"`

	Domain  string              `json:"domain,omitempty"`  // the domain acts: which
	Fields  map[string][]string `json:"fields,omitempty"`  // what was said of it (see sayOf)
	Proof   string              `json:"proof,omitempty"`   // a second password: ours
	Element *wire.Element       `json:"element,omitempty"` // what it is asked
}

// importRow is an account to be made.
type importRow struct {
	Address  string `json:"address"`
	Password string `json:"password"`
}

// answer is what came of a request.
type answer struct {
	Note     string        `json:"note,omitempty"` // for whoever asked, beside success
	Accounts []accountInfo `json:"accounts,omitempty"`
	Next     string        `json:"next,omitempty"` // list: where to go on; empty when these were the last
	Detail   *detail       `json:"detail,omitempty"`
	Failed   []string      `json:"failed,omitempty"` // import: for each row what is wrong, or empty

	Listening []string `json:"listening,omitempty"` // status: the URLs of the open listeners
	Domains   []string `json:"domains,omitempty"`   // status: whose accounts live here

	Count   int         `json:"count,omitempty"`   // check: accounts
	Players []importRow `json:"players,omitempty"` // play: accounts to play with

	Register []domainInfo  `json:"register,omitempty"` // domain-list, domain-show
	Steps    []stepInfo    `json:"steps,omitempty"`    // domain-test: how each went
	Element  *wire.Element `json:"element,omitempty"`  // domain-request: what it answered
	Refusal  string        `json:"refusal,omitempty"`  // why a test or a request came to nothing
}

// accountInfo is an account in a list.
type accountInfo struct {
	Address  string     `json:"address"`
	Name     string     `json:"name,omitempty"`
	Disabled bool       `json:"disabled"`
	Created  time.Time  `json:"created"`
	LastSeen *time.Time `json:"last_seen,omitempty"` // end of the last session
}

// detail is all that is told of one account.
type detail struct {
	accountInfo
	Sessions     []exchange.SessionInfo `json:"sessions"`
	Serial       int64                  `json:"serial"`
	Contacts     int                    `json:"contacts"`
	Allowed      int                    `json:"allowed"`
	Blocked      int                    `json:"blocked"`
	Watchers     int                    `json:"watchers"`
	Requests     int                    `json:"requests"`
	Waiting      int                    `json:"waiting"`
	WaitingBytes int64                  `json:"waiting_bytes"`
	KeepsKey     bool                   `json:"msnp_login"` // the password is kept, which MSNP needs
	Profile      profileInfo            `json:"profile"`
}

type profileInfo struct {
	Listed  bool   `json:"listed"`
	First   string `json:"first,omitempty"`
	Last    string `json:"last,omitempty"`
	City    string `json:"city,omitempty"`
	State   string `json:"state,omitempty"`
	Country string `json:"country,omitempty"`
}

// office does the acts on the house of this process. Any number at once.
type office struct {
	*house
	running   bool     // the service runs in this process: leave it room to work
	listening []string // its listeners, as URLs
	guests    []string // domains that are served here only because an account of them was named
	players   players
	ssp       sspDoor // the way to other domains; nil without a listener for them
}

// acts are all there are.
var acts = map[string]func(*office, context.Context, request) (answer, error){
	"add": (*office).add, "remove": (*office).remove, "list": (*office).list, "show": (*office).show,
	"password": (*office).password, "disable": (*office).disable, "enable": (*office).enable,
	"profile": (*office).profile,
	"status":  (*office).status, "check": (*office).check, "play": (*office).play, "played": (*office).played, "import": (*office).importRows,
	"domain-add": (*office).domainAdd, "domain-set": (*office).domainSet, "domain-password": (*office).domainPassword,
	"domain-remove": (*office).domainRemove, "domain-list": (*office).domainList, "domain-show": (*office).domainShow,
	"domain-test": (*office).domainTest, "domain-request": (*office).domainRequest,
}

func (o *office) do(ctx context.Context, r request) (answer, error) {
	act, ok := acts[r.Act]
	if !ok {
		return answer{}, fmt.Errorf("the service knows no act %q: it is of another version than this program", r.Act)
	}
	return act(o, ctx, r)
}

// account reads the address of an account.
func (o *office) account(s string) (im.Address, error) {
	a, err := im.ParseAddress(s)
	switch {
	case err != nil:
		return a, err
	case a.IsDomain():
		return a, fmt.Errorf("%s is no address of an account: write it like %s@%s", s, s, o.cfg.Domain)
	}
	return a, nil
}

// explain says in words for people what the core says to the doors.
func (o *office) explain(who im.Address, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, im.ErrUnknownUser):
		return fmt.Errorf("there is no account %s: parley account list shows all", who)
	case errors.Is(err, im.ErrAlready):
		return fmt.Errorf("there is an account %s already", who)
	case errors.Is(err, im.ErrHeld):
		return fmt.Errorf("the address %s was an account's until not long ago, and is not given again before the time of the key removal.hold (%s) is over", who, o.cfg.Removal.Hold)
	}
	return err
}

func (o *office) add(ctx context.Context, r request) (answer, error) {
	who, err := o.account(r.Address)
	if err != nil {
		return answer{}, err
	}
	if err := o.ours(who); err != nil {
		return answer{}, err
	}
	k, err := o.vault.Set(who.String(), credential.NewSecret(r.Password), o.cfg.Credential.KeepPassword)
	if err != nil {
		return answer{}, err
	}
	name := strings.TrimSpace(r.Name)
	if !utf8.ValidString(name) || strings.ContainsAny(name, "\r\n\x00") {
		return answer{}, errors.New("the name is not plain text of one line")
	}
	err = o.exchange.CreateAccount(ctx, im.Account{Address: who, Name: im.Name(name, who), Keys: k.Marshal()})
	return answer{}, o.explain(who, err)
}

func (o *office) ours(who im.Address) error {
	if !o.exchange.Ours(who.Domain()) {
		return fmt.Errorf("%s: accounts of %s do not live here, only those of %s: see the keys domain and domains",
			who, who.Domain(), strings.Join(o.cfg.AllDomains(), ", "))
	}
	return nil
}

func (o *office) status(context.Context, request) (answer, error) {
	return answer{Listening: o.listening, Domains: o.cfg.AllDomains()}, nil
}

func (o *office) remove(ctx context.Context, r request) (answer, error) {
	who, err := o.account(r.Address)
	if err == nil {
		err = o.explain(who, o.exchange.RemoveAccount(ctx, who))
	}
	return answer{}, err
}

func (o *office) password(ctx context.Context, r request) (answer, error) {
	who, err := o.account(r.Address)
	if err != nil {
		return answer{}, err
	}
	k, err := o.vault.Set(who.String(), credential.NewSecret(r.Password), o.cfg.Credential.KeepPassword)
	if err == nil {
		err = o.explain(who, o.exchange.SetKeys(ctx, who, k.Marshal()))
	}
	return answer{}, err
}

func (o *office) disable(ctx context.Context, r request) (answer, error) { return o.able(ctx, r, true) }
func (o *office) enable(ctx context.Context, r request) (answer, error)  { return o.able(ctx, r, false) }

func (o *office) able(ctx context.Context, r request, disabled bool) (answer, error) {
	who, err := o.account(r.Address)
	if err != nil {
		return answer{}, err
	}
	err = o.exchange.SetDisabled(ctx, who, disabled)
	if errors.Is(err, im.ErrSameMode) {
		return answer{Note: map[bool]string{true: "it was disabled already", false: "it was enabled already"}[disabled]}, nil
	}
	return answer{}, o.explain(who, err)
}

// listPage is how many accounts one answer holds.
const listPage = 1000

func (o *office) list(ctx context.Context, r request) (answer, error) {
	accounts, err := o.exchange.Accounts(ctx, r.After, listPage)
	if err != nil {
		return answer{}, err
	}
	var a answer
	for _, account := range accounts {
		a.Accounts = append(a.Accounts, infoOf(account))
	}
	if len(accounts) == listPage {
		a.Next = a.Accounts[listPage-1].Address
	}
	return a, nil
}

func infoOf(a im.Account) accountInfo {
	i := accountInfo{Address: a.Address.String(), Name: a.Name, Disabled: a.Disabled, Created: a.Created.UTC()}
	if !a.LastSeen.IsZero() {
		t := a.LastSeen.UTC()
		i.LastSeen = &t
	}
	return i
}

func (o *office) show(ctx context.Context, r request) (answer, error) {
	who, err := o.account(r.Address)
	if err != nil {
		return answer{}, err
	}
	snap, err := o.exchange.Snapshot(ctx, who)
	if err != nil {
		return answer{}, o.explain(who, err)
	}
	account, err := o.exchange.Identify(ctx, who) // with its keys
	if err != nil && !errors.Is(err, im.ErrDisabled) {
		return answer{}, o.explain(who, err)
	}
	keys, err := credential.UnmarshalKeys(account.Keys)
	if err != nil {
		return answer{}, err
	}
	account = snap.Account
	if account.LastSeen, err = o.exchange.LastSeen(ctx, who); err != nil {
		return answer{}, o.explain(who, err)
	}
	d := detail{accountInfo: infoOf(account), Serial: snap.Serial, KeepsKey: keys.Sealed(), Profile: profileInfo(snap.Profile)}
	d.Sessions = append([]exchange.SessionInfo{}, o.exchange.Sessions(who)...)
	for _, e := range snap.Entries {
		for n, yes := range map[*int]bool{
			&d.Contacts: e.Side.Contact, &d.Allowed: e.Side.Allowed(), &d.Blocked: e.Side.Denied,
			&d.Watchers: e.Watching(), &d.Requests: e.Watched == im.WatchAsked,
		} {
			if yes {
				*n++
			}
		}
	}
	d.Waiting, d.WaitingBytes, err = o.exchange.Waiting(ctx, who)
	return answer{Detail: &d}, err
}

func (o *office) profile(ctx context.Context, r request) (answer, error) {
	who, err := o.account(r.Address)
	if err != nil {
		return answer{}, err
	}
	if len(r.Profile) > 0 {
		if err := editProfile(&im.Profile{}, r.Profile); err != nil {
			return answer{}, err
		}
		err := o.exchange.SetProfile(ctx, who, func(p *im.Profile) {
			editProfile(p, r.Profile) // was judged above
		})
		if err != nil {
			return answer{}, o.explain(who, err)
		}
	}
	return o.show(ctx, r)
}

// maxProfile is the greatest length of a value of a profile in bytes.
const maxProfile = 200

func editProfile(p *im.Profile, values map[string]string) error {
	for key, v := range values {
		text := map[string]*string{"first": &p.First, "last": &p.Last, "city": &p.City, "state": &p.State, "country": &p.Country}[key]
		switch {
		case key == "listed":
			switch v {
			case "yes", "true":
				p.Listed = true
			case "no", "false":
				p.Listed = false
			default:
				return fmt.Errorf("listed=%s: write yes or no", v)
			}
		case text == nil:
			return fmt.Errorf("a profile has no %q: there is listed, first, last, city, state, country", key)
		case !utf8.ValidString(v) || strings.ContainsFunc(v, func(c rune) bool { return c < ' ' || c == 0x7f }) || len(v) > maxProfile:
			return fmt.Errorf("%s: it is no plain text of one line and at most %d bytes", key, maxProfile)
		default:
			*text = v
		}
	}
	return nil
}

// importRows makes many accounts: the keys by all processors, or by half of them while the
// service runs here; what is ready is committed in groups.
func (o *office) importRows(ctx context.Context, r request) (answer, error) {
	workers := runtime.GOMAXPROCS(0)
	if o.running {
		workers = max(1, workers/2)
	}
	failed := make([]string, len(r.Rows))
	processors := make(chan struct{}, workers) // holds a token for each row whose keys are being made
	var rows sync.WaitGroup
	for i, row := range r.Rows {
		rows.Go(func() { // ends with its row
			if err := o.importRow(ctx, row, processors); err != nil {
				failed[i] = err.Error()
			}
		})
	}
	rows.Wait()
	return answer{Failed: failed}, ctx.Err()
}

func (o *office) importRow(ctx context.Context, row importRow, processors chan struct{}) error {
	who, err := o.account(row.Address)
	if err != nil {
		return err
	}
	if err := o.ours(who); err != nil {
		return err
	}
	select {
	case processors <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	k, err := o.vault.Set(who.String(), credential.NewSecret(row.Password), o.cfg.Credential.KeepPassword)
	<-processors
	if err != nil {
		return err
	}
	return o.explain(who, o.exchange.CreateAccount(ctx, im.Account{Address: who, Keys: k.Marshal()}))
}
