package listen

import (
	"errors"
	"net"
	"sync"
	"syscall"
	"time"
)

// Why a stream takes no more.
var (
	ErrClosed   = errors.New("listen: stream is closed")
	ErrOverflow = errors.New("listen: receiver is too slow, its queue is full")
)

// Limits are what all streams of a door share. Sizes are in bytes.
type Limits struct {
	Queue    int                 // waiting to be written; over it the stream is closed
	Presence int                 // of that, what can be replaced; over it likewise
	Stall    time.Duration       // a receiver that takes nothing for so long is closed
	Overflow func(presence bool) // called when a stream is closed for its queue; may be nil
}

// Settler hears once what became of an item.
type Settler interface {
	Done()            // its last byte was written to the socket
	Return(why error) // it was not, or perhaps not whole
}

// Item is something to be written, in one piece and in order.
type Item struct {
	B      []byte  // not changed by anybody once it is put; may be shared by many streams
	Key    any     // an item that still waits is taken out when another of the same key is put; nil: never
	Settle Settler // may be nil
}

// Stream is one connection, so made that an idle one costs next to nothing: the reader
// holds no buffer while it waits, and a writer runs only while the receiver is slow.
//
// Fill and Consume belong to the goroutine that reads; Put, Flush and Close to anybody.
type Stream struct {
	conn net.Conn
	raw  syscall.RawConn // nil: not a socket (a pipe in tests), or see sockets
	lim  *Limits
	tls  *secured // nil: plain; set while writing is

	buf    []byte // what the reader has and has not consumed; nil or of a pool while it runs
	from   int
	pooled *[]byte
	tryFn  func(uintptr) bool
	once   bool  // try does not ask to wait
	n      int   // result of the last try
	err    error // likewise

	// Of whoever has set writing.
	now     [1]Item // a single item on its way
	writeFn func(uintptr) bool
	wb      []byte
	wn      int
	werr    error

	mu       sync.Mutex // guards all below
	queue    []Item
	one      [1]Item // the queue's first room, so that one item at a time allocates nothing
	keys     map[any]int
	size     int // bytes queued, what is being written included
	keyed    int // of that, bytes of items with a key
	dirty    bool
	writing  bool
	finished bool // no more is taken; close when all is written
	closed   bool
	lounge   *Lounge       // where it waited last
	sleeper  Sleeper       // who was to be woken there
	at       int           // its file descriptor
	room     chan struct{} // closed when there is room again; made by Room
}

const (
	smallBuffer = 4 << 10
	largeBuffer = 32 << 10
	manyQueued  = 16 // from here on keys are looked up in a map
)

var (
	smallBuffers = sync.Pool{New: func() any { b := make([]byte, smallBuffer); return &b }}
	largeBuffers = sync.Pool{New: func() any { b := make([]byte, largeBuffer); return &b }}
)

// NewStream makes a stream of a connection. It starts no goroutine.
func NewStream(c net.Conn, lim *Limits) *Stream {
	s := &Stream{conn: c, lim: lim}
	s.queue = s.one[:0]
	if sc, ok := c.(syscall.Conn); ok && sockets {
		if raw, err := sc.SyscallConn(); err == nil {
			s.raw = raw
			s.tryFn, s.writeFn = s.try, s.tryWrite
		}
	}
	return s
}

// Conn is the connection underneath, for its addresses and deadlines.
func (s *Stream) Conn() net.Conn { return s.conn }

// Put queues an item. It reports whether the caller now owes a Flush: exactly one of those
// who put does, so that many can put before anybody writes. When the stream takes no more the
// item is not queued, the error says why, and Settle is not called.
func (s *Stream) Put(it Item) (owes bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.finished {
		return false, ErrClosed
	}
	if it.Key != nil {
		s.replace(it.Key)
		s.keyed += len(it.B)
	}
	s.size += len(it.B)
	if s.size > s.lim.Queue || it.Key != nil && s.keyed > s.lim.Presence {
		s.size -= len(it.B)
		if it.Key != nil {
			s.keyed -= len(it.B)
		}
		return false, ErrOverflow
	}
	s.queue = append(s.queue, it)
	if it.Key != nil && len(s.queue) > manyQueued {
		s.index()
	}
	if s.dirty || s.writing {
		return false, nil
	}
	s.dirty = true
	return true, nil
}

// replace takes a waiting item of the same key out.
func (s *Stream) replace(key any) {
	i, found := 0, false
	if s.keys != nil {
		i, found = s.keys[key]
	} else {
		for j := range s.queue {
			if s.queue[j].Key == key {
				i, found = j, true
			}
		}
	}
	if !found {
		return
	}
	old := &s.queue[i]
	s.size -= len(old.B)
	s.keyed -= len(old.B)
	*old = Item{}
	delete(s.keys, key)
}

func (s *Stream) index() {
	if s.keys == nil {
		s.keys = make(map[any]int)
		for i, it := range s.queue {
			if it.Key != nil {
				s.keys[it.Key] = i
			}
		}
		return
	}
	s.keys[s.queue[len(s.queue)-1].Key] = len(s.queue) - 1
}

// Flush writes what is queued, as far as the socket takes it at once. What it does not take is
// written by a goroutine that lives until the queue is empty or the stream closes.
func (s *Stream) Flush() {
	s.mu.Lock()
	s.dirty = false
	if s.writing || s.closed {
		s.mu.Unlock()
		return
	}
	s.writing = true
	s.mu.Unlock()
	s.write(false)
}

// write empties the queue; the caller has set writing. With wait it may block.
func (s *Stream) write(wait bool) {
	for {
		s.mu.Lock()
		if len(s.queue) == 0 || s.closed {
			end := s.finished && !s.closed
			if end && s.tls.farewell() {
				s.mu.Unlock()
				if _, all, err := s.send(nil, wait); err != nil {
					s.Close()
				} else if !all {
					go s.rest(nil, nil) // ends with the queue, or by Close
					return
				}
				continue
			}
			s.writing = false
			s.mu.Unlock()
			if end {
				s.end()
			}
			return
		}
		batch := s.queue
		if len(batch) == 1 {
			s.now[0] = batch[0]
			batch = s.now[:]
		}
		s.queue, s.keys = s.one[:0], nil
		s.one[0] = Item{}
		s.mu.Unlock()

		if len(batch) == 1 {
			n, all, err := s.send(batch[0].B, wait)
			if err == nil && !all {
				go s.rest(batch[0].B[n:], append([]Item(nil), batch...)) // ends with the queue, or by Close
				return
			}
			s.settle(batch, err)
			s.now[0] = Item{}
		} else if done := s.sendAll(batch, wait); !done {
			return
		}
	}
}

// sendAll writes a batch in as few writes as its size allows. False: a goroutine goes on.
func (s *Stream) sendAll(batch []Item, wait bool) bool {
	p := largeBuffers.Get().(*[]byte)
	defer largeBuffers.Put(p)
	for len(batch) > 0 {
		b, k := (*p)[:0], 0
		for k < len(batch) && (k == 0 || len(b)+len(batch[k].B) <= cap(b)) {
			if k == 0 && len(batch[0].B) > cap(b) {
				b = batch[0].B
			} else {
				b = append(b, batch[k].B...)
			}
			k++
			if len(b) > largeBuffer {
				break
			}
		}
		n, all, err := s.send(b, wait)
		if err == nil && !all {
			go s.rest(append([]byte(nil), b[n:]...), batch, k) // ends with the queue, or by Close
			return false
		}
		s.settle(batch[:k], err)
		batch = batch[k:]
	}
	return true
}

// rest is the writer's goroutine: first what the socket did not take of the first k items of
// batch, then the others, then the queue.
func (s *Stream) rest(b []byte, batch []Item, ks ...int) {
	k := len(batch)
	if len(ks) > 0 {
		k = ks[0]
	}
	_, _, err := s.send(b, true)
	s.settle(batch[:k], err)
	s.sendAll(batch[k:], true)
	s.write(true)
}

// send writes; without wait only what the socket takes at once. What is not in n is to be sent
// again; without all, and with no error, send is to be called again even if that is nothing.
func (s *Stream) send(b []byte, wait bool) (n int, all bool, err error) {
	if s.tls != nil {
		return s.tls.send(b, wait)
	}
	n, err = s.sendBytes(b, wait)
	return n, n == len(b), err
}

// sendBytes is send for what goes to the socket as it is.
func (s *Stream) sendBytes(b []byte, wait bool) (n int, err error) {
	if len(b) == 0 {
		return 0, nil
	}
	if !wait && s.raw == nil {
		return 0, nil // a pipe has no "at once": its writer is always the goroutine
	}
	if wait {
		if s.lim.Stall > 0 {
			s.conn.SetWriteDeadline(time.Now().Add(s.lim.Stall))
			defer s.conn.SetWriteDeadline(time.Time{}) // or a later write, in good order, would fail
		}
		for len(b) > 0 { // in steps, so that a slow receiver that takes something is not stalled
			m, err := s.conn.Write(b[:min(len(b), largeBuffer)])
			n += m
			if err != nil {
				return n, err
			}
			b = b[m:]
			if s.lim.Stall > 0 && len(b) > 0 {
				s.conn.SetWriteDeadline(time.Now().Add(s.lim.Stall))
			}
		}
		return n, nil
	}
	s.wb, s.wn, s.werr = b, 0, nil
	err = s.raw.Write(s.writeFn)
	n, werr := s.wn, s.werr
	s.wb = nil
	if werr == syscall.EAGAIN {
		return 0, nil
	}
	if err == nil {
		err = werr
	}
	return max(n, 0), err
}

// tryWrite writes what the socket takes at once, and never asks to wait.
func (s *Stream) tryWrite(fd uintptr) bool {
	for {
		s.wn, s.werr = writeSocket(fd, s.wb)
		if s.werr != syscall.EINTR {
			return true
		}
	}
}

// settle tells the items of a batch what became of them. An error closes the stream.
func (s *Stream) settle(batch []Item, err error) {
	n, keyed := 0, 0
	for _, it := range batch {
		n += len(it.B)
		if it.Key != nil {
			keyed += len(it.B)
		}
	}
	s.mu.Lock()
	s.size -= n
	s.keyed -= keyed
	if s.room != nil && s.size <= s.lim.Queue/4 {
		close(s.room)
		s.room = nil
	}
	s.mu.Unlock()
	if err != nil {
		s.Close()
	}
	for _, it := range batch {
		switch {
		case it.Settle == nil:
		case err != nil:
			it.Settle.Return(err)
		default:
			it.Settle.Done()
		}
	}
}

// Room waits until a quarter of the queue's bound at most is taken. It is for a reader
// that answers its own client at length, and flushes first.
func (s *Stream) Room() {
	s.Flush()
	s.mu.Lock()
	if s.closed || s.size <= s.lim.Queue/4 {
		s.mu.Unlock()
		return
	}
	if s.room == nil {
		s.room = make(chan struct{})
	}
	c := s.room
	s.mu.Unlock()
	<-c // closed by settle or Close
}

// Finish takes no more, writes what waits, and then ends the writing side.
func (s *Stream) Finish() {
	s.mu.Lock()
	if s.closed || s.finished {
		s.mu.Unlock()
		return
	}
	s.finished = true
	s.mu.Unlock()
	s.Flush()
	s.Unpark()
}

// lastWord is how long a receiver may take to see the end of what was said to it, and to close.
const lastWord = 2 * time.Second

// end tells the receiver that nothing more comes; the reader sees its answer, or times out.
func (s *Stream) end() {
	if c, ok := s.conn.(interface{ CloseWrite() error }); ok {
		c.CloseWrite()
		s.conn.SetReadDeadline(time.Now().Add(lastWord))
		return
	}
	s.Close()
}

// Finished reports whether Finish or Close was called.
func (s *Stream) Finished() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.finished || s.closed
}

// Close ends the connection at once and returns what waits.
func (s *Stream) Close() {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.closed = true
	batch := append([]Item(nil), s.queue...)
	s.queue, s.keys = nil, nil
	if s.room != nil {
		close(s.room)
		s.room = nil
	}
	s.mu.Unlock()
	s.conn.Close()
	for _, it := range batch {
		if it.Settle != nil {
			it.Settle.Return(ErrClosed)
		}
	}
	s.Unpark()
}
