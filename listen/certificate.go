package listen

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/idna"
)

// Certificates is where listeners have their certificate from. It may change while they listen; connections
// that are open keep the one they began with. A nil Certificates is TLS turned off.
type Certificates struct {
	self      bool
	cert, key string // files
	names     []string

	current atomic.Pointer[tls.Certificate]

	mu   sync.Mutex // guards seen; held while files are read and made
	seen stamps     // of the files that were read last, for better or worse
}

// The files of a certificate of our own making, in the data folder.
const (
	selfCert = "tls.crt"
	selfKey  = "tls.key"
	// selfLife is long: a certificate that nobody else vouches for gets no better by being new.
	selfLife = 10 * 365 * 24 * time.Hour
)

// NewCertificates reads the certificate that the key tls names: "self", "files:CERT,KEY" (PEM; CERT may
// be followed by the certificates that vouch for it) or "off", which gives nil. "self" is one of our own
// in dataDir, made if it is missing, has run out or lacks one of the domains. An error says which
// file is wrong and what to do.
func NewCertificates(mode, dataDir string, domains []string) (*Certificates, error) {
	c := &Certificates{}
	files, named := strings.CutPrefix(mode, "files:")
	switch {
	case mode == "off":
		return nil, nil
	case mode == "self":
		c.self, c.cert, c.key = true, filepath.Join(dataDir, selfCert), filepath.Join(dataDir, selfKey)
	case named:
		cert, key, _ := strings.Cut(files, ",")
		c.cert, c.key = strings.TrimSpace(cert), strings.TrimSpace(key)
	}
	if c.cert == "" || c.key == "" {
		return nil, fmt.Errorf("tls: %q is not known: write self, off or files:CERT,KEY", mode)
	}
	return c.of(domains)
}

// ReadCertificates reads the certificate in two files, as NewCertificates does with "files:".
func ReadCertificates(cert, key string, domains []string) (*Certificates, error) {
	return (&Certificates{cert: cert, key: key}).of(domains)
}

// of reads the certificate, for domains.
func (c *Certificates) of(domains []string) (*Certificates, error) {
	for _, d := range domains {
		name, err := idna.Lookup.ToASCII(d)
		if err != nil {
			name = d // such as an address, or with an underline
		}
		c.names = append(c.names, name)
	}
	if err := c.Reload(); err != nil {
		return nil, err
	}
	return c, nil
}

// Config is what a server shakes hands with: TLS 1.2 or newer, and the certificate as it is at that
// moment. alpn are the protocols to agree on; a client that offers none is not refused. Nil for no TLS.
func (c *Certificates) Config(alpn ...string) *tls.Config {
	if c == nil {
		return nil
	}
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     alpn,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load(), nil },
		// A session lasts for days: a ticket would be memory for nothing, and a key to keep.
		SessionTicketsDisabled: true,
		// Whoever reads stanzas has no use for the first part of one.
		DynamicRecordSizingDisabled: true,
	}
}

// Leaf is the certificate in use, or nil for no TLS.
func (c *Certificates) Leaf() *x509.Certificate {
	if c == nil {
		return nil
	}
	return c.current.Load().Leaf
}

// Lacks are those of the domains that the certificate does not name, as clients look for them.
func (c *Certificates) Lacks() []string {
	if c == nil {
		return nil
	}
	return lacks(c.Leaf(), c.names)
}

func lacks(leaf *x509.Certificate, names []string) []string {
	var l []string
	for _, name := range names {
		if leaf.VerifyHostname(name) != nil {
			l = append(l, name)
		}
	}
	return l
}

// Reload reads the files again. After an error the certificate stays as it was.
func (c *Certificates) Reload() error {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reload()
}

func (c *Certificates) reload() error {
	c.seen = c.stamps()
	pair, err := c.read()
	if err == nil && c.self {
		switch old := pair.Leaf; {
		case old.CheckSignature(old.SignatureAlgorithm, old.RawTBSCertificate, old.Signature) != nil:
			if l := lacks(old, c.names); len(l) > 0 {
				return fmt.Errorf(`tls: %s was not made here and does not name %s: set tls = "files:%s,%s" to use it as it is, or delete it to have one made`,
					c.cert, strings.Join(l, ", "), c.cert, c.key)
			}
		case len(lacks(old, c.names)) > 0 || time.Now().After(old.NotAfter):
			err = fs.ErrNotExist
		}
	}
	if c.self && errors.Is(err, fs.ErrNotExist) {
		if err = c.make(); err == nil {
			c.seen = c.stamps()
			pair, err = c.read()
		}
	}
	if err != nil {
		return err
	}
	c.current.Store(pair)
	return nil
}

// read reads both files. What is wrong with them is said in words of whoever must mend it.
func (c *Certificates) read() (*tls.Certificate, error) {
	var text [2][]byte
	for i, file := range []string{c.cert, c.key} {
		b, err := os.ReadFile(file)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil, explained{err, fmt.Sprintf("tls: the file %s does not exist: name a certificate and its key in PEM, tls = \"files:CERT,KEY\", or set tls = \"self\"", file)}
		case errors.Is(err, fs.ErrPermission):
			return nil, explained{err, fmt.Sprintf("tls: no permission to read %s: let the user who runs this read it", file)}
		case err != nil:
			return nil, fmt.Errorf("tls: %w", err)
		}
		text[i] = b
	}
	if err := wants(c.cert, text[0], "CERTIFICATE"); err != nil {
		return nil, err
	}
	if err := wants(c.key, text[1], "PRIVATE KEY"); err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(text[0], text[1])
	if err != nil {
		return nil, explained{err, fmt.Sprintf("tls: %s and %s do not go together: %s", c.cert, c.key, strings.TrimPrefix(err.Error(), "tls: "))}
	}
	return &pair, nil
}

// wants says what a file lacks that should hold a block of PEM whose name ends in kind.
func wants(file string, text []byte, kind string) error {
	var found []string
	for rest := text; ; {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			break
		}
		if strings.HasSuffix(b.Type, kind) && b.Type != "ENCRYPTED PRIVATE KEY" {
			return nil
		}
		found = append(found, b.Type)
	}
	what := "is no PEM file"
	if len(found) > 0 {
		what = "holds " + strings.Join(found, ", ")
	}
	return fmt.Errorf("tls: %s %s: a block BEGIN %s must be in it, the key without a password", file, what, kind)
}

// make writes a key and a certificate that it signs itself.
func (c *Certificates) make() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("tls: make a key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return fmt.Errorf("tls: make a certificate: %w", err)
	}
	now := time.Now()
	what := &x509.Certificate{
		SerialNumber: serial,
		NotBefore:    now.Add(-24 * time.Hour), // clocks go wrong
		NotAfter:     now.Add(selfLife),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},

		BasicConstraintsValid: true,
	}
	for i, name := range c.names {
		if i == 0 && len(name) <= 64 { // what X.520 gives a common name
			what.Subject = pkix.Name{CommonName: name}
		}
		if ip := net.ParseIP(name); ip != nil {
			what.IPAddresses = append(what.IPAddresses, ip)
		} else {
			what.DNSNames = append(what.DNSNames, name)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, what, what, key.Public(), key)
	if err != nil {
		return fmt.Errorf("tls: make a certificate for %s: %w", strings.Join(c.names, ", "), err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("tls: make a key: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(c.cert), 0o700); err != nil {
		return fmt.Errorf("tls: %w", err)
	}
	if err := replace(c.key, &pem.Block{Type: "PRIVATE KEY", Bytes: secret}); err != nil {
		return err
	}
	return replace(c.cert, &pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// replace writes a file that only its owner may read, whole or not at all.
func replace(file string, b *pem.Block) error {
	f, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*") // 0600
	if err != nil {
		return fmt.Errorf("tls: %w", err)
	}
	err = pem.Encode(f, b)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("tls: write %s: %w", file, err)
	}
	return nil
}

// stamps tell whether files changed.
type stamps [2]struct {
	at   time.Time
	size int64
}

func (c *Certificates) stamps() (s stamps) {
	for i, file := range []string{c.cert, c.key} {
		if info, err := os.Stat(file); err == nil {
			s[i].at, s[i].size = info.ModTime(), info.Size()
		}
	}
	return s
}

// Watch reads the files again when they have changed, and not within the last second: they
// may still be being written. It looks each second until ctx is done, in its caller's goroutine. Files that cannot be used
// leave the certificate as it is; that is logged once for each change.
func (c *Certificates) Watch(ctx context.Context, log *slog.Logger) {
	if c == nil {
		return
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var last stamps
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		c.mu.Lock()
		now := c.stamps()
		changed := now != c.seen
		var err error
		if changed && now == last {
			err = c.reload()
		} else {
			changed = false
		}
		last = now
		c.mu.Unlock()
		switch {
		case err != nil:
			log.Error("the certificate has changed and cannot be used; the one before stays", "err", err)
		case changed:
			leaf := c.Leaf()
			log.Info("the certificate was read again", "until", leaf.NotAfter)
			if l := c.Lacks(); len(l) > 0 {
				log.Warn("the certificate does not name all domains", "missing", l)
			}
		}
	}
}
