package sasl

import (
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"slices"
)

// What a login can be bound to, as XEP-0440 2 announces it and RFC 5802 7 names it.
const (
	TLSExporter       = "tls-exporter"
	TLSServerEndPoint = "tls-server-end-point"
)

// Binding is what both ends of a TLS connection know and nobody between them can have on
// two connections; a field is nil where it is not available, and both are on a plain
// connection. Without tls-unique, which TLS 1.3 does not have.
// Deviates from RFC 5802 6.1: see RFC 9266 3.
type Binding struct {
	Exporter []byte // 32 bytes, RFC 9266 2
	EndPoint []byte // a hash of the server's certificate
}

// Bind reads the bindings of a connection, nil when it is plain; none before the handshake.
// leaf is the certificate that the server showed; nil leaves the end-point out. So does
// a signature that fixes no hash function, such as Ed25519: RFC 5929 has no rule for it.
// The exporter is there with TLS 1.3, and with TLS 1.2 only where the master secret is
// bound to the handshake. RFC 9266 2, 4.2; XEP-0440 3.
func Bind(cs *tls.ConnectionState, leaf *x509.Certificate) Binding {
	var b Binding
	if cs == nil || !cs.HandshakeComplete {
		return b
	}
	// An empty context, not none: with TLS 1.2 that makes a difference. An error says
	// that the master secret is not bound.
	if key, err := cs.ExportKeyingMaterial("EXPORTER-Channel-Binding", []byte{}, 32); err == nil {
		b.Exporter = key
	}
	if leaf != nil {
		b.EndPoint = endPoint(leaf)
	}
	return b
}

// endPoint hashes a certificate with the hash function of its signature, but with SHA-256
// where that is MD5 or SHA-1: RFC 5929's rule for tls-server-end-point.
func endPoint(c *x509.Certificate) []byte {
	switch c.SignatureAlgorithm {
	case x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1,
		x509.SHA256WithRSA, x509.SHA256WithRSAPSS, x509.DSAWithSHA256, x509.ECDSAWithSHA256:
		s := sha256.Sum256(c.Raw)
		return s[:]
	case x509.SHA384WithRSA, x509.SHA384WithRSAPSS, x509.ECDSAWithSHA384:
		s := sha512.Sum384(c.Raw)
		return s[:]
	case x509.SHA512WithRSA, x509.SHA512WithRSAPSS, x509.ECDSAWithSHA512:
		s := sha512.Sum512(c.Raw)
		return s[:]
	}
	return nil
}

// Types lists the types that are available, the stronger first; none on a plain
// connection. XEP-0440 2, 3.
func (b Binding) Types() []string {
	var l []string
	if len(b.Exporter) > 0 {
		l = append(l, TLSExporter)
	}
	if len(b.EndPoint) > 0 {
		l = append(l, TLSServerEndPoint)
	}
	return l
}

// Only leaves of the binding what a server announced; a server that announced no types
// leaves it whole. XEP-0440 3.
func (b Binding) Only(announced []string) Binding {
	if len(announced) == 0 {
		return b
	}
	if !slices.Contains(announced, TLSExporter) {
		b.Exporter = nil
	}
	if !slices.Contains(announced, TLSServerEndPoint) {
		b.EndPoint = nil
	}
	return b
}

// data is what a type stands for; nil for one that is not available.
func (b Binding) data(name string) []byte {
	switch name {
	case TLSExporter:
		return b.Exporter
	case TLSServerEndPoint:
		return b.EndPoint
	}
	return nil
}
