package msnp

import (
	"container/heap"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"math"
	"strings"
	"sync"
	"time"
)

// TicketKind says what a ticket is for.
type TicketKind uint8

const (
	Open   TicketKind = 1 // to begin a session: the cookie of XFR SB, said with USR (draft 8.1, 8.2)
	Answer TicketKind = 2 // to join one: the cookie of RNG, said with ANS (draft 8.4)
)

// Ticket is what a notification server vouches for towards a switchboard, which shares no memory with it. The wire
// calls it a cookie, or AuthChallengeInfo.
type Ticket struct {
	Kind         TicketKind
	Switchboard  string // the only one that takes it; up to 255 bytes
	Conversation int64  // the session to join; 0 in a ticket to open one
	Handle       string // of the only one who may use it; up to MaxHandle bytes
	Dialect      int    // of the notification session: a switchboard connection names none
	Abilities    uint32 // that the client said it has, from MSNP8 on: dialects 5.4
	Expires      time.Time
	Nonce        uint64 // tells tickets apart; Sign picks one where it is 0
}

// Why a ticket is not good. Both are answered with ErrAuthenticationFailed, which they wrap.
var (
	ErrTicketForged  = fmt.Errorf("the ticket is not of this service: %w", ErrAuthenticationFailed)
	ErrTicketExpired = fmt.Errorf("the ticket has expired: %w", ErrAuthenticationFailed)
)

const (
	ticketVersion = 2
	macSize       = 16
	minKey        = 16
	maxToken      = 640
)

// Signer signs tickets and tells its own from others. It is safe for concurrent use. All machines of a service use
// the same key.
type Signer struct{ macs sync.Pool }

// NewSigner takes a secret key of at least 16 bytes, made for this and nothing else.
func NewSigner(key []byte) (*Signer, error) {
	if len(key) < minKey {
		return nil, fmt.Errorf("the key for tickets has %d bytes, it needs %d", len(key), minKey)
	}
	key = append([]byte(nil), key...)
	return &Signer{sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}}, nil
}

// Sign makes a ticket into a token of letters, digits, - and _; about 110 bytes for addresses of common length. The
// time of expiry is kept to the millisecond.
func (s *Signer) Sign(t Ticket) string {
	for t.Nonce == 0 {
		var b [8]byte
		rand.Read(b[:])
		t.Nonce = binary.BigEndian.Uint64(b[:])
	}
	b := make([]byte, 0, 256)
	b = append(b, ticketVersion, byte(t.Kind), byte(t.Dialect))
	b = binary.BigEndian.AppendUint64(b, t.Nonce)
	b = binary.AppendVarint(b, t.Expires.UnixMilli())
	b = binary.AppendVarint(b, t.Conversation)
	b = binary.AppendUvarint(b, uint64(t.Abilities))
	b = append(append(b, byte(len(t.Switchboard))), t.Switchboard...)
	b = append(b, t.Handle...)
	return base64.RawURLEncoding.EncodeToString(s.appendMAC(b, b))
}

func (s *Signer) appendMAC(dst, b []byte) []byte {
	m := s.macs.Get().(hash.Hash)
	defer s.macs.Put(m)
	m.Reset()
	m.Write(b)
	var sum [sha256.Size]byte
	return append(dst, m.Sum(sum[:0])[:macSize]...)
}

// Verify reads a token. The error is ErrTicketForged or ErrTicketExpired. Whether the ticket is for this
// switchboard, this person, this purpose and not yet used is the caller's to ask.
func (s *Signer) Verify(token string, now time.Time) (Ticket, error) {
	if len(token) > maxToken {
		return Ticket{}, ErrTicketForged
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(b) <= macSize || strings.ContainsAny(token, "\r\n") { // the decoder overlooks line ends
		return Ticket{}, ErrTicketForged
	}
	body, mac := b[:len(b)-macSize], b[len(b)-macSize:]
	if !hmac.Equal(mac, s.appendMAC(nil, body)) {
		return Ticket{}, ErrTicketForged
	}
	t, err := readTicket(body)
	if err != nil {
		return Ticket{}, fmt.Errorf("%w (%w)", ErrTicketForged, err)
	}
	if !now.Before(t.Expires) {
		return Ticket{}, ErrTicketExpired
	}
	return t, nil
}

var errTicketForm = errors.New("signed, but in a form that is not known")

func readTicket(b []byte) (t Ticket, err error) {
	const head = 3 + 8
	if len(b) < head || b[0] != ticketVersion {
		return t, errTicketForm
	}
	t.Kind, t.Dialect, t.Nonce = TicketKind(b[1]), int(b[2]), binary.BigEndian.Uint64(b[3:])
	b = b[head:]
	ms, n := binary.Varint(b)
	if n <= 0 {
		return t, errTicketForm
	}
	t.Expires, b = time.UnixMilli(ms), b[n:]
	if t.Conversation, n = binary.Varint(b); n <= 0 {
		return t, errTicketForm
	}
	b = b[n:]
	abilities, n := binary.Uvarint(b)
	if t.Abilities = uint32(abilities); n <= 0 || abilities > math.MaxUint32 || len(b) == n || len(b) < n+1+int(b[n]) {
		return t, errTicketForm
	}
	end := n + 1 + int(b[n])
	t.Switchboard, t.Handle = string(b[n+1:end]), string(b[end:])
	return t, nil
}

// Used remembers which tickets were used, until they expire. It is safe for concurrent use. The zero Used is ready
// and holds DefaultUsed.
type Used struct {
	// Max is how many are remembered; 0 is DefaultUsed. When it is reached no further ticket is taken until one
	// expires: a ticket that is forgotten could be used twice.
	Max int

	mu     sync.Mutex // guards what is below
	seen   map[uint64]struct{}
	expiry nonces
}

// DefaultUsed is enough for five thousand new switchboard sessions a second with tickets that live two minutes. Full,
// it takes about 30 MB.
const DefaultUsed = 600_000

// Use reports whether a ticket may be used: not expired and not used before. From then on it is.
func (u *Used) Use(t Ticket, now time.Time) bool {
	if now.UnixMilli() >= t.Expires.UnixMilli() {
		return false
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	for len(u.expiry) > 0 && u.expiry[0].expires <= now.UnixMilli() {
		delete(u.seen, heap.Pop(&u.expiry).(nonce).n)
	}
	limit := u.Max
	if limit <= 0 {
		limit = DefaultUsed
	}
	if _, ok := u.seen[t.Nonce]; ok || len(u.seen) >= limit {
		return false
	}
	if u.seen == nil {
		u.seen = make(map[uint64]struct{})
	}
	u.seen[t.Nonce] = struct{}{}
	heap.Push(&u.expiry, nonce{t.Nonce, t.Expires.UnixMilli()})
	return true
}

// Len is how many used tickets are remembered.
func (u *Used) Len() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.seen)
}

type nonce struct {
	n       uint64
	expires int64 // milliseconds since 1970
}

// nonces is a heap, the first to expire on top.
type nonces []nonce

func (h nonces) Len() int           { return len(h) }
func (h nonces) Less(i, j int) bool { return h[i].expires < h[j].expires }
func (h nonces) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *nonces) Push(x any)        { *h = append(*h, x.(nonce)) }
func (h *nonces) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	*h = (*h)[:last]
	return x
}
