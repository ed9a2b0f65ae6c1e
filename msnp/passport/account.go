package passport

import (
	"context"
	"errors"
	"net/netip"

	"parley/credential"
	"parley/im"
	"parley/metrics"
	"parley/msnp"
)

// ErrWrong is what a Checker says of a password that is wrong, of an account that does not exist and of one that is
// disabled alike.
var ErrWrong = errors.New("no such account, or the password is wrong")

// Checker judges passwords. Verify returns nil, ErrWrong, or what kept it from judging. It takes the same time whether
// the account exists or not: the zero Address stands for what is no address at all.
type Checker interface {
	Verify(ctx context.Context, who im.Address, password credential.Secret) error
}

// Accounts is the Checker for accounts whose keys somebody finds.
type Accounts struct {
	// Identify finds an account with its keys, or returns im.ErrUnknownUser or im.ErrDisabled. The exchange's does.
	Identify func(ctx context.Context, who im.Address) (im.Account, error)
	Vault    *credential.Vault
}

// Verify judges a password; about 0.7 ms of CPU, whatever comes of it.
func (a Accounts) Verify(ctx context.Context, who im.Address, password credential.Secret) error {
	var found im.Account
	var err error
	if !who.IsZero() {
		found, err = a.Identify(ctx, who)
	}
	switch {
	case errors.Is(err, im.ErrUnknownUser), errors.Is(err, im.ErrDisabled):
		found.Keys = nil
	case err != nil:
		return err
	}
	keys, err := credential.UnmarshalKeys(found.Keys)
	if err != nil {
		return err
	}
	if !a.Vault.CheckPassword(who.String(), keys, password) {
		return ErrWrong
	}
	return nil
}

// authenticate judges a login, whichever way it came, and counts what comes of it; a success is counted with the login it
// is for. What is no address, and whoever has failed too often, fails like a wrong password, after the same work. An
// error but ErrWrong is our own trouble. dialects 10.
func (s *Server) authenticate(ctx context.Context, c credentials, remote netip.Addr) (im.Address, error) {
	who, err := im.ParseAddress(c.handle)
	if err != nil || who.IsDomain() || !msnp.ValidHandle(c.handle) || !msnp.ValidHandle(who.String()) {
		who = im.Address{}
	}
	account, failures := who.String(), s.c.Strangers.Failures
	allowed := failures.Allowed(account, remote)
	err = s.c.Checker.Verify(ctx, who, c.password)
	switch {
	case err != nil && !errors.Is(err, ErrWrong):
		s.c.Metrics.Login(metrics.LoginFailed)
		return im.Address{}, err
	case !allowed:
		s.c.Metrics.Login(metrics.LoginLimited)
		return im.Address{}, ErrWrong
	case err != nil || who.IsZero():
		failures.Fail(account, remote)
		s.c.Metrics.Login(metrics.LoginWrong)
		return im.Address{}, ErrWrong
	case !failures.Succeed(account, remote):
		s.c.Metrics.Login(metrics.LoginLimited)
		return im.Address{}, ErrWrong
	}
	return who, nil
}
