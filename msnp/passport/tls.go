package passport

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"time"
)

// OldTLS is what a listener shakes hands with that is for clients of 2002 to 2006 alone: TLS 1.0 and newer, and the ciphers
// of Windows XP that there still are, 3DES and RC4 with a key that RSA carries. Nothing else should listen with it. What
// speaks only SSL 3 or greets in the way of SSL 2, as Windows 98 to 2000 do unless TLS 1.0 is turned on, needs a proxy in
// front that still can. dialects 3.5.
//
// get gives the certificate, the same to whoever names no host: these clients name none. It must be an RSA one; Suits
// tells.
func OldTLS(get func(*tls.ClientHelloInfo) (*tls.Certificate, error)) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS10,
		CipherSuites: []uint16{
			tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA,
			tls.TLS_RSA_WITH_AES_128_CBC_SHA, tls.TLS_RSA_WITH_AES_256_CBC_SHA,
			tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA,
			tls.TLS_RSA_WITH_RC4_128_SHA, // COMPAT MSN 5.0-7.0: Windows 98 and ME without a later Internet Explorer lack 3DES
		},
		NextProtos:             []string{"http/1.1"},
		GetCertificate:         get,
		SessionTicketsDisabled: true,
	}
}

// Suits says what keeps a certificate from being used by clients of that time, or nil: dialects 3.5.
func Suits(leaf *x509.Certificate) error {
	key, ok := leaf.PublicKey.(*rsa.PublicKey)
	switch {
	case !ok:
		return fmt.Errorf("the certificate has a key of the kind %s: MSN Messenger 5.0 to 7.5 on Windows XP need RSA", leaf.PublicKeyAlgorithm)
	case key.N.BitLen() > 4096:
		return fmt.Errorf("the certificate has a key of %d bits: Windows XP takes RSA keys up to 4096", key.N.BitLen())
	}
	switch leaf.SignatureAlgorithm {
	case x509.SHA1WithRSA, x509.SHA256WithRSA, x509.MD5WithRSA:
		return nil
	}
	return fmt.Errorf("the certificate is signed with %s: Windows XP takes SHA1-RSA, and SHA256-RSA from SP3 on", leaf.SignatureAlgorithm)
}

// Names are the hosts that clients have built in, which a name server leads here, and a certificate needs besides those
// of the service: dialects 3.4, 3.5.
var Names = []string{"nexus.passport.com", "login.passport.com", "loginnet.passport.com"}

// certificateLife is long, and ends before 2038, which old clients cannot count beyond.
const certificateLife = 8 * 365 * 24 * time.Hour

// NewCertificate makes an RSA key of 2048 bits and a certificate for the hosts that it signs itself with SHA-256, both in
// PEM, good from a day before now for eight years. Users import it among the authorities they trust; it vouches for
// nobody else. It takes up to a second. dialects 3.5.
func NewCertificate(hosts []string, now time.Time) (certificate, key []byte, err error) {
	if len(hosts) == 0 {
		return nil, nil, errors.New("a certificate needs the name of a host")
	}
	pair, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, nil, fmt.Errorf("make a key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, nil, fmt.Errorf("make a certificate: %w", err)
	}
	what := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: hosts[0]},
		NotBefore:             now.Add(-24 * time.Hour), // clocks go wrong
		NotAfter:              now.Add(certificateLife),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		SignatureAlgorithm:    x509.SHA256WithRSA,
	}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			what.IPAddresses = append(what.IPAddresses, ip)
		} else {
			what.DNSNames = append(what.DNSNames, h)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, what, what, pair.Public(), pair)
	if err != nil {
		return nil, nil, fmt.Errorf("make a certificate: %w", err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(pair)
	if err != nil {
		return nil, nil, fmt.Errorf("make a key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), nil
}
