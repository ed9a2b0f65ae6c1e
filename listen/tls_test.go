package listen

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// chopped writes in pieces, so that records come in parts.
type chopped struct {
	net.Conn
	piece int
}

func (c chopped) Write(b []byte) (n int, err error) {
	for err == nil && n < len(b) {
		var m int
		m, err = c.Conn.Write(b[n:min(n+c.piece, len(b))])
		n += m
	}
	return n, err
}

// secure shakes hands between a stream and its peer.
func secure(t *testing.T, s *Stream, peer net.Conn, version uint16) *tls.Conn {
	t.Helper()
	c, _ := selfMade(t, "example.com")
	cfg := trust(c, "example.com")
	cfg.MinVersion, cfg.MaxVersion = version, version
	client := tls.Client(peer, cfg)
	failed := make(chan error, 1)
	go func() { failed <- client.Handshake() }() // ends with the handshake, which has a limit
	if err := s.StartTLS(c.Config(), 20*time.Second); err != nil {
		t.Fatal(err)
	}
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
	return client
}

// eachVersion runs a test for both versions of TLS, over sockets and pipes.
func eachVersion(t *testing.T, test func(t *testing.T, s *Stream, peer net.Conn, version uint16)) {
	for name, version := range map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13} {
		t.Run(name+" tcp", func(t *testing.T) {
			s, peer := pair(t, testLimits())
			test(t, s, peer, version)
		})
		t.Run(name+" pipe", func(t *testing.T) {
			a, b := net.Pipe()
			s := NewStream(a, testLimits())
			t.Cleanup(func() { s.Close(); b.Close() })
			test(t, s, b, version)
		})
	}
}

func TestTLSReadsInPieces(t *testing.T) {
	eachVersion(t, func(t *testing.T, s *Stream, peer net.Conn, version uint16) {
		client := secure(t, s, chopped{peer, 777}, version)
		if s.TLS() == nil || s.TLS().Version != version {
			t.Errorf("agreed on %+v", s.TLS())
		}
		want := bytes.Repeat([]byte("0123456789abcdef"), 20000)
		go func() { // ends when all is written, or the stream closes
			for i, b := 0, want; len(b) > 0; i++ {
				n := min(len(b), []int{1, 100, 1777, 40000}[i%4])
				client.Write(b[:n])
				b = b[n:]
			}
			client.CloseWrite()
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
			n := len(s.Pending()) - len(s.Pending())/8 // leaves something behind
			got = append(got, s.Pending()[:n]...)
			s.Consume(n)
		}
		got = append(got, s.Pending()...)
		if !bytes.Equal(got, want) {
			t.Errorf("%d bytes read, %d sent, or in another order", len(got), len(want))
		}
		if err := s.Fill(); err != io.EOF {
			t.Errorf("after the end: %v", err)
		}
	})
}

func TestTLSWritesInOrderAndSaysGoodbye(t *testing.T) {
	eachVersion(t, func(t *testing.T, s *Stream, peer net.Conn, version uint16) {
		client := secure(t, s, peer, version)
		const writers, each = 4, 500
		settled := &counter{}
		big := bytes.Repeat([]byte{0xff}, 100<<10) // many records
		var all sync.WaitGroup
		for w := range writers {
			all.Go(func() {
				for i := range each {
					put(t, s, Item{B: []byte{byte(w), byte(i >> 8), byte(i)}, Settle: settled})
				}
			})
		}
		next := make([]int, writers)
		buf := make([]byte, 3*writers*each)
		if _, err := io.ReadFull(client, buf); err != nil {
			t.Fatal(err)
		}
		for ; len(buf) > 0; buf = buf[3:] {
			if w, i := buf[0], int(buf[1])<<8|int(buf[2]); next[w] != i {
				t.Fatalf("writer %d: item %d came where %d was due", w, i, next[w])
			}
			next[buf[0]]++
		}
		all.Wait()
		put(t, s, Item{B: big, Settle: settled})
		s.Finish()
		rest, err := io.ReadAll(client) // an end without close_notify is an error
		if err != nil || !bytes.Equal(rest, big) {
			t.Errorf("%d of %d bytes, %v", len(rest), len(big), err)
		}
		if n := settled.done.Load(); n != writers*each+1 {
			t.Errorf("%d items settled", n)
		}
	})
}

func TestTLSEndWithoutGoodbyeIsNoEOFForTheClient(t *testing.T) {
	s, peer := pair(t, testLimits())
	client := secure(t, s, peer, tls.VersionTLS13)
	s.Close()
	if _, err := client.Read(make([]byte, 1)); err == nil {
		t.Error("a byte came")
	} else if _, err := s.Put(Item{B: []byte("x")}); !errors.Is(err, ErrClosed) {
		t.Errorf("put after close: %v", err)
	}
}

func TestTLSOfOneThatNeverReads(t *testing.T) {
	s, peer := pair(t, testLimits())
	client := secure(t, s, peer, tls.VersionTLS13)
	settled := &counter{}
	block := make([]byte, 50000)
	for i := range block {
		block[i] = byte(i)
	}
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
		t.Fatalf("after 50 MB: %v", err)
	}
	if settled.done.Load() == queued {
		t.Error("all is settled, and nothing was read")
	}
	s.Finish()
	got := 0
	for buf := make([]byte, len(block)); ; got++ { // it reads after all
		if _, err := io.ReadFull(client, buf); err == io.EOF {
			break
		} else if err != nil || !bytes.Equal(buf, block) {
			t.Fatalf("block %d is another, %v", got, err)
		}
	}
	if int64(got) != queued || settled.done.Load() != queued {
		t.Errorf("%d of %d came, %d settled", got, queued, settled.done.Load())
	}
}

func TestTLSBeginsBehindPlainText(t *testing.T) {
	eachVersion(t, func(t *testing.T, s *Stream, peer net.Conn, version uint16) {
		go peer.Write([]byte("starttls")) // ends when it is read
		if err := s.Fill(); err != nil || string(s.Pending()) != "starttls" {
			t.Fatal(err)
		}
		s.Consume(len("starttls"))
		proceed := make(chan error, 1)
		c, _ := selfMade(t, "example.com")
		client := tls.Client(peer, trust(c, "example.com"))
		go func() { // ends with the handshake, which has a limit
			b := make([]byte, len("proceed"))
			_, err := io.ReadFull(peer, b)
			if err == nil && string(b) != "proceed" {
				err = fmt.Errorf("%q", b)
			}
			if err == nil {
				err = client.Handshake()
			}
			proceed <- err
		}()
		s.Put(Item{B: []byte("proceed")}) // StartTLS writes it
		cfg := c.Config()
		get := cfg.GetCertificate
		cfg.GetCertificate = func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
			put(t, s, Item{B: []byte("secret")}) // by somebody else, in the middle of the handshake
			return get(h)
		}
		if err := s.StartTLS(cfg, time.Minute); err != nil {
			t.Fatal(err)
		}
		if err := <-proceed; err != nil {
			t.Fatal(err)
		}
		b := make([]byte, len("secret"))
		if _, err := io.ReadFull(client, b); err != nil || string(b) != "secret" {
			t.Errorf("%q, %v", b, err)
		}
		if err := s.StartTLS(cfg, time.Minute); !errors.Is(err, ErrSecured) {
			t.Errorf("TLS in TLS: %v", err)
		}
	})
}

// TestPlainTextBehindStartTLS: nothing may follow the wish for TLS before the handshake, RFC 6120 5.3.3.
func TestPlainTextBehindStartTLS(t *testing.T) {
	s, peer := pair(t, testLimits())
	c, _ := selfMade(t, "example.com")
	go peer.Write([]byte("starttls<message/>")) // ends when it is read
	if err := s.Fill(); err != nil {
		t.Fatal(err)
	}
	s.Consume(len("starttls"))
	if err := s.StartTLS(c.Config(), time.Minute); !errors.Is(err, ErrPipelined) {
		t.Error(err)
	}
	if _, err := s.Put(Item{}); !errors.Is(err, ErrClosed) {
		t.Errorf("the stream goes on: %v", err)
	}
}

func TestTLSHandshakeFails(t *testing.T) {
	c, _ := selfMade(t, "example.com")
	for name, say := range map[string]string{
		"GET / HTTP/1.0\r\n\r\n": "first record does not look like a TLS handshake",
		"":                       "EOF",
	} {
		s, peer := pair(t, testLimits())
		io.WriteString(peer, name)
		peer.(*net.TCPConn).CloseWrite()
		err := s.StartTLS(c.Config(), time.Minute)
		if err == nil || !strings.Contains(err.Error(), say) || s.TLS() != nil || !s.Finished() {
			t.Errorf("%q: %v, want %s", name, err, say)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		s := NewStream(a, testLimits())
		settled := &counter{}
		go func() { // ends when the stream closes
			b.Write([]byte{22, 3, 1}) // and nothing more
			put(t, s, Item{B: []byte("x"), Settle: settled})
		}()
		start := time.Now()
		err := s.StartTLS(c.Config(), 10*time.Second)
		if err == nil || !strings.Contains(err.Error(), "not done within 10s") || time.Since(start) != 10*time.Second {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
		if settled.returned.Load() != 1 {
			t.Error("what was put is not returned")
		}
	})
}

func TestTLSFinishedInItsHandshake(t *testing.T) {
	s, peer := pair(t, testLimits())
	c, _ := selfMade(t, "example.com")
	client := tls.Client(peer, trust(c, "example.com"))
	read := make(chan error, 1)
	go func() { // ends when the stream does
		b, err := io.ReadAll(client)
		if err == nil && string(b) != "goodbye" {
			err = fmt.Errorf("%q", b)
		}
		read <- err
	}()
	cfg := c.Config()
	get := cfg.GetCertificate
	cfg.GetCertificate = func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
		put(t, s, Item{B: []byte("goodbye")})
		s.Finish()
		return get(h)
	}
	if err := s.StartTLS(cfg, time.Minute); err != nil {
		t.Error(err)
	}
	if err := <-read; err != nil {
		t.Error(err)
	}
}

// TestTLSReaderAnswers: what the reader has to say, an alert, goes out with nobody else writing.
func TestTLSReaderAnswers(t *testing.T) {
	eachVersion(t, func(t *testing.T, s *Stream, peer net.Conn, version uint16) {
		client := secure(t, s, peer, version)
		go peer.Write(append([]byte{23, 3, 3, 0, 40}, make([]byte, 40)...)) // ends when it is read
		told := make(chan error, 1)
		go func() { // ends when the stream does
			_, err := client.Read(make([]byte, 1))
			told <- err
		}()
		if err := s.Fill(); err == nil || !strings.Contains(err.Error(), "bad record MAC") {
			t.Errorf("the reader's error: %v", err)
		}
		if err := <-told; err == nil || !strings.Contains(err.Error(), "bad record MAC") {
			t.Errorf("the client's error: %v", err)
		}
	})
}

func BenchmarkTLSPut(b *testing.B) {
	benchmarkTLS(b, func(b *testing.B, s *Stream, client *tls.Conn) {
		go io.Copy(io.Discard, client) // ends when the stream closes
		line := bytes.Repeat([]byte("x"), 200)
		for b.Loop() {
			owes, err := s.Put(Item{B: line})
			if err != nil {
				s.Room()
			}
			if owes {
				s.Flush()
			}
		}
	})
}

func BenchmarkTLSEcho(b *testing.B) {
	benchmarkTLS(b, func(b *testing.B, s *Stream, client *tls.Conn) {
		go func() { // ends when the stream closes
			for s.Fill() == nil {
				s.Put(Item{B: append([]byte(nil), s.Pending()...)})
				s.Consume(len(s.Pending()))
				s.Flush()
			}
		}()
		line := bytes.Repeat([]byte("x"), 200)
		for b.Loop() {
			client.Write(line)
			if _, err := io.ReadFull(client, line); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func benchmarkTLS(b *testing.B, run func(*testing.B, *Stream, *tls.Conn)) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	peer, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	c, err := l.Accept()
	if err != nil {
		b.Fatal(err)
	}
	s := NewStream(c, &Limits{Queue: 64 << 20, Presence: 1 << 20})
	defer s.Close()
	certs, err := NewCertificates("self", b.TempDir(), []string{"example.com"})
	if err != nil {
		b.Fatal(err)
	}
	client := tls.Client(peer, trust(certs, "example.com"))
	go client.Handshake() // ends with StartTLS
	if err := s.StartTLS(certs.Config(), 0); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	run(b, s, client)
}
