package listen

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func testLimits() *Limits { return &Limits{Queue: 1 << 20, Presence: 1 << 19, Stall: time.Minute} }

// pair is a stream over loopback TCP and its peer.
func pair(t *testing.T, lim *Limits) (*Stream, net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	peer, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	s := NewStream(c, lim)
	t.Cleanup(func() { s.Close(); peer.Close() })
	return s, peer
}

type counter struct {
	done, returned atomic.Int64
}

func (c *counter) Done()        { c.done.Add(1) }
func (c *counter) Return(error) { c.returned.Add(1) }

func put(t *testing.T, s *Stream, it Item) {
	t.Helper()
	owes, err := s.Put(it)
	if err != nil {
		t.Fatal(err)
	}
	if owes {
		s.Flush()
	}
}

func TestStreamReadsInPieces(t *testing.T) {
	for name, open := range map[string]func(*testing.T) (*Stream, net.Conn){
		"tcp": func(t *testing.T) (*Stream, net.Conn) { return pair(t, testLimits()) },
		"pipe": func(t *testing.T) (*Stream, net.Conn) {
			a, b := net.Pipe()
			return NewStream(a, testLimits()), b
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, peer := open(t)
			want := bytes.Repeat([]byte("0123456789abcdef"), 3000)
			go func() {
				for b := want; len(b) > 0; {
					n := min(len(b), 1777)
					peer.Write(b[:n])
					b = b[n:]
				}
				peer.Close()
			}()
			var got []byte
			for {
				err := s.Fill()
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				n := len(s.Pending()) / 2 // always leaves something behind
				got = append(got, s.Pending()[:n]...)
				s.Consume(n)
			}
			got = append(got, s.Pending()...)
			if !bytes.Equal(got, want) {
				t.Fatalf("%d bytes read, %d sent, or in another order", len(got), len(want))
			}
		})
	}
}

func TestStreamKeepsOrderForManyWriters(t *testing.T) {
	s, peer := pair(t, &Limits{Queue: 64 << 20, Presence: 1 << 20})
	const writers, each = 8, 2000
	settled := &counter{}
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				put(t, s, Item{B: []byte{byte(w), byte(i >> 8), byte(i)}, Settle: settled})
			}
		})
	}
	next := make([]int, writers)
	buf := make([]byte, 3*writers*each)
	if _, err := io.ReadFull(peer, buf); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	for ; len(buf) > 0; buf = buf[3:] {
		w, i := buf[0], int(buf[1])<<8|int(buf[2])
		if next[w] != i {
			t.Fatalf("writer %d: item %d came where %d was due", w, i, next[w])
		}
		next[w]++
	}
	s.Close()
	if n := settled.done.Load() + settled.returned.Load(); n != writers*each {
		t.Errorf("%d of %d items settled", n, writers*each)
	}
}

func TestStreamOfOneThatNeverReads(t *testing.T) {
	s, _ := pair(t, &Limits{Queue: 1 << 20, Presence: 1 << 19})
	settled := &counter{}
	block := make([]byte, 64<<10)
	queued := int64(0)
	var err error
	for range 1000 {
		var owes bool
		if owes, err = s.Put(Item{B: block, Settle: settled}); err != nil {
			break
		}
		queued++
		if owes {
			s.Flush()
		}
	}
	if !errors.Is(err, ErrOverflow) {
		t.Fatalf("after 64 MiB: %v", err)
	}
	s.Close()
	deadline := time.Now().Add(10 * time.Second)
	for settled.done.Load()+settled.returned.Load() < queued {
		if time.Now().After(deadline) {
			t.Fatalf("%d written and %d returned of %d", settled.done.Load(), settled.returned.Load(), queued)
		}
	}
	if settled.returned.Load() == 0 {
		t.Error("nothing came back")
	}
}

func TestNewerPresenceReplacesWaitingOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, peer := net.Pipe()
		s := NewStream(a, testLimits())
		put(t, s, Item{B: []byte("first ")}) // its writer blocks on the pipe
		synctest.Wait()
		for i := range 40 {
			put(t, s, Item{B: []byte{'a' + byte(i%26)}, Key: "p1"})
			put(t, s, Item{B: []byte("m")})
			put(t, s, Item{B: []byte{'A' + byte(i%26)}, Key: "p2"})
		}
		s.Finish()
		got, err := io.ReadAll(peer)
		if err != nil {
			t.Fatal(err)
		}
		want := "first " + string(bytes.Repeat([]byte("m"), 39)) + "nmN"
		if string(got) != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestStalledReceiverIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, peer := net.Pipe()
		s := NewStream(a, testLimits())
		settled := &counter{}
		put(t, s, Item{B: []byte("hello"), Settle: settled})
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if settled.returned.Load() != 1 {
			t.Error("not returned after the stall time")
		}
		if _, err := peer.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("peer reads %v", err)
		}
	})
}

func TestFinishWritesFirst(t *testing.T) {
	s, peer := pair(t, &Limits{Queue: 32 << 20, Presence: 1 << 20})
	want := bytes.Repeat([]byte("x"), 9<<20) // more than the socket takes
	put(t, s, Item{B: want})
	s.Finish()
	if _, err := s.Put(Item{B: []byte("late")}); !errors.Is(err, ErrClosed) {
		t.Errorf("put after finish: %v", err)
	}
	got, err := io.ReadAll(peer)
	if err != nil || len(got) != len(want) {
		t.Errorf("%d of %d bytes, %v", len(got), len(want), err)
	}
}

func TestRoomWaitsForTheReceiver(t *testing.T) {
	s, peer := pair(t, &Limits{Queue: 4 << 20, Presence: 1 << 20})
	total := 0
	done := make(chan int)
	go func() {
		n, _ := io.Copy(io.Discard, peer)
		done <- int(n)
	}()
	for range 100 {
		b := make([]byte, 512<<10)
		if _, err := s.Put(Item{B: b}); err != nil {
			t.Fatal(err)
		}
		total += len(b)
		s.Room()
	}
	s.Finish()
	if n := <-done; n != total {
		t.Errorf("%d of %d bytes", n, total)
	}
}

func BenchmarkStreamPut(b *testing.B) {
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	peer, _ := net.Dial("tcp", l.Addr().String())
	c, _ := l.Accept()
	go io.Copy(io.Discard, peer)
	s := NewStream(c, &Limits{Queue: 1 << 20, Presence: 1 << 20})
	line := bytes.Repeat([]byte("x"), 200)
	b.ReportAllocs()
	for b.Loop() {
		if owes, _ := s.Put(Item{B: line}); owes {
			s.Flush()
		}
	}
	s.Close()
	peer.Close()
	l.Close()
}
