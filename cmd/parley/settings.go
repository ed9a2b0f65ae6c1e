package main

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"parley/config"
	"parley/im"
)

// The files of a data folder.
const (
	configFile = "parley.toml"
	keyFile    = "parley.key"
	storeFile  = "parley.db"
	socketFile = "parley.sock"
	demoFile   = "demo-accounts"

	// What the service makes for itself where no other certificate is given.
	selfCertificate    = "tls.crt"
	selfCertificateKey = "tls.key"
)

// settings are the flags that say which service is meant, and how it is to be.
type settings struct {
	config, data, domain string
	listen, set          list
}

// placeFlags declares the flags of every command that works on a data folder.
func (s *settings) placeFlags(fs *flag.FlagSet) {
	fs.StringVar(&s.config, "config", "", "read the configuration from `FILE` (default: parley.toml in the data folder, if it is there)")
	fs.StringVar(&s.data, "data", "", "the data folder is `DIR` (default: the key data of the configuration, or ./parley-data)")
}

// serviceFlags declares the flags of commands that serve.
func (s *settings) serviceFlags(fs *flag.FlagSet) {
	s.placeFlags(fs)
	fs.StringVar(&s.domain, "domain", "", "accounts of the domain `NAME` live here")
	s.listenFlags(fs)
}

func (s *settings) listenFlags(fs *flag.FlagSet) {
	fs.Var(&s.listen, "listen", "serve at `URL`, such as msnp://127.0.0.1:1863 or xmpp://127.0.0.1:5222; given once or more, it replaces the configured ones")
	fs.Var(&s.set, "set", "give a key of the configuration a value: `KEY=VALUE`, such as limits.line=16KiB")
}

// load reads the configuration and puts the flags over it. file is the configuration file
// read, or empty.
func (s *settings) load() (cfg config.Config, file string, err error) {
	file = s.config
	found := false // in the data folder: then that is the folder, wherever it was moved
	if file == "" {
		dir := s.data
		if dir == "" {
			dir = config.Default().Data
		}
		path := filepath.Join(dir, configFile)
		switch _, err := os.Stat(path); {
		case err == nil:
			file, found = path, true
		case !errors.Is(err, fs.ErrNotExist):
			return cfg, "", fmt.Errorf("look for a configuration: %w", err)
		}
	}
	cfg, err = config.Load(file)
	if err != nil {
		return cfg, file, err
	}
	if found {
		cfg.Data = filepath.Dir(file)
	}
	if s.data != "" {
		cfg.Data = s.data
	}
	if s.domain != "" {
		cfg.Domain = s.domain
	}
	if len(s.listen) > 0 {
		cfg.Listen = s.listen
	}
	for _, kv := range s.set {
		key, value, ok := strings.Cut(kv, "=")
		if !ok {
			return cfg, file, usagef("--set %s: write it like --set limits.line=16KiB", kv)
		}
		if err := cfg.Set(key, value); err != nil {
			return cfg, file, usagef("--set %s", err)
		}
	}
	if err := cfg.Validate(); err != nil {
		return cfg, file, err
	}
	return cfg, file, cleanDomains(&cfg)
}

// cleanDomains brings the domains to the form that addresses have.
func cleanDomains(cfg *config.Config) error {
	d, err := im.ParseDomain(cfg.Domain)
	if err != nil {
		return fmt.Errorf("domain: %w", err)
	}
	cfg.Domain = d
	for i, name := range cfg.Domains {
		if cfg.Domains[i], err = im.ParseDomain(name); err != nil {
			return fmt.Errorf("domains: %w", err)
		}
	}
	return nil
}
