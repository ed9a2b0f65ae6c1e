package passport

import (
	"errors"
	"net/url"
	"strings"

	"parley/credential"
)

// scheme is what stands before the fields in the headers of a login: dialects 3.3.
const scheme = "Passport1.4"

// Bounds of the header Authorization, in bytes and fields: a client sends about 400 in 15.
const (
	maxHeader = 8 << 10
	maxFields = 64
)

// credentials are what somebody says to be let in.
type credentials struct {
	handle   string // as it was sent, not yet an address
	password credential.Secret
}

var errHeader = errors.New("the header Authorization is not one of a Passport login")

// isLogin reports whether a header Authorization is meant for us.
func isLogin(h string) bool {
	name, _, _ := strings.Cut(strings.TrimLeft(h, " "), " ")
	return strings.EqualFold(name, scheme)
}

// parseAuthorization reads the header with which a client logs in: fields between commas, of which sign-in and pwd count,
// each once and percent-encoded, while others pass. The error says nothing of what was read. dialects 3.3.
func parseAuthorization(h string) (c credentials, err error) {
	name, fields, _ := strings.Cut(strings.TrimLeft(h, " "), " ")
	if len(h) > maxHeader || !strings.EqualFold(name, scheme) || strings.Count(fields, ",") >= maxFields {
		return c, errHeader
	}
	var password string
	seen := map[string]bool{}
	for field := range strings.SplitSeq(fields, ",") {
		key, value, _ := strings.Cut(field, "=")
		key = strings.ToLower(strings.TrimSpace(key))
		if key != "sign-in" && key != "pwd" {
			continue // what USR S told the client, and what nobody knows
		}
		value, err := url.PathUnescape(strings.TrimRight(value, " ")) // + stands for itself
		if err != nil || seen[key] {
			return credentials{}, errHeader
		}
		seen[key] = true
		if key == "pwd" {
			password = value
		} else {
			c.handle = value
		}
	}
	if c.handle == "" || password == "" {
		return credentials{}, errHeader
	}
	c.password = credential.NewSecret(password)
	return c, nil
}
