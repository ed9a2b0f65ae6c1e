package main

// commands is the table of all commands, in the order in which help lists them. It is a
// function because help itself reads it.
func commands() []*command {
	return []*command{
		{
			name:  "quickstart",
			short: "make a service to try out, with three accounts, and start it",
			long: `The data folder (./parley-data) is made with a configuration of three lines, a key file, a
database, and accounts alice, bob and carol at parley.test. Their passwords are random; they
are kept in the file demo-accounts, which only its owner can read, and printed each time.
Only this machine can connect, unless --listen or the configuration says otherwise. Run again
in the same folder it keeps everything.`,
			setup: setupQuickstart,
		},
		{
			name:  "serve",
			short: "start the service",
			long: `No configuration is needed. Without --config the file parley.toml in the data folder is read
if there is one. A data folder that is missing is made. The flags stand over the file;
--listen given once or more replaces all its listeners. docs/config.md lists the keys.

The line "ready" in the log says that every listener is open. The first SIGTERM or SIGINT
tells all sessions and ends in order, the second at once.`,
			setup: setupServe,
		},
		{
			name: "account add", args: "ADDRESS",
			short: "make an account",
			long:  passwordHelp + "\n\n" + runningHelp,
			setup: setupAccountAdd,
		},
		{
			name: "account remove", args: "ADDRESS",
			short: "remove an account with all it keeps",
			long: `Its sessions end, nobody sees it any more, its stored messages go. The address is not given
again for the time of the key removal.hold. ` + runningHelp,
			setup: setupAccountRemove,
		},
		{
			name:  "account list",
			short: "list the accounts",
			long:  runningHelp,
			setup: setupAccountList,
		},
		{
			name: "account show", args: "ADDRESS",
			short: "show an account: its sessions, the sizes of its lists, what waits for it",
			long:  runningHelp,
			setup: setupAccountShow,
		},
		{
			name: "account password", args: "ADDRESS",
			short: "set the password of an account",
			long:  passwordHelp + " Sessions that are logged in go on.\n\n" + runningHelp,
			setup: setupAccountPassword,
		},
		{
			name: "account disable", args: "ADDRESS",
			short: "keep an account from logging in, and end its sessions",
			long:  runningHelp,
			setup: setupAccountDisable,
		},
		{
			name: "account enable", args: "ADDRESS",
			short: "let an account log in again",
			long:  runningHelp,
			setup: setupAccountEnable,
		},
		{
			name: "account profile", args: "ADDRESS [KEY=VALUE]...",
			short: "show or set what the user directory may say of an account",
			long: `The keys are listed (yes or no: whether others find the account at all), first, last, city,
state and country. ` + runningHelp,
			setup: setupAccountProfile,
			words: func() []string { return []string{"listed=", "first=", "last=", "city=", "state=", "country="} },
		},
		{
			name: "account import", args: "FILE|-",
			short: "make many accounts",
			long: `The file is CSV with two columns, address and password; - is the standard input. A first
line "address,password" is skipped. Lines that cannot be imported are reported with their
numbers and the others are imported all the same; then the exit code is 1. ` + runningHelp,
			setup: setupAccountImport,
		},
		{
			name: "domain add", args: "DOMAIN",
			short: "join another domain, by Wireless Village SSP",
			long: `Its operator does the same with ours: parley domain show DOMAIN says what to tell them. Both prove
themselves by a password that the two operators agreed on.

` + passwordHelp + "\n\n" + runningHelp,
			setup: setupDomainAdd,
		},
		{
			name: "domain set", args: "DOMAIN",
			short: "change what was said of a domain: only what the flags name",
			long:  runningHelp,
			setup: setupDomainSet,
		},
		{
			name: "domain password", args: "DOMAIN",
			short: "set the password shared with a domain",
			long:  passwordHelp + " A session that is there goes on.\n\n" + runningHelp,
			setup: setupDomainPassword,
		},
		{
			name: "domain remove", args: "DOMAIN",
			short: "join a domain no longer",
			long:  "What accounts keep about its users stays, for when it is added again. " + runningHelp,
			setup: setupDomainRemove,
		},
		{
			name:  "domain list",
			short: "list the domains that are joined",
			long:  runningHelp,
			setup: setupDomainList,
		},
		{
			name: "domain show", args: "DOMAIN",
			short: "show what is registered of a domain, and what its operator must register of ours",
			long:  runningHelp,
			setup: setupDomainShow,
		},
		{
			name: "domain test", args: "DOMAIN",
			short: "log in to a domain, step by step, and say at which step it stops and why",
			long: `The service must run, with a listener ssp:// or ssps://: the other domain calls back there, at the URL
that its operator registered of ours. The exit code is 1 when the login comes to nothing.`,
			setup: setupDomainTest,
		},
		{
			name: "domain request", args: "DOMAIN PRIMITIVE [KEY=VALUE]...",
			short: "ask a domain for anything there is, and print the answer",
			long: `PRIMITIVE is a request of SSP such as GetPresenceRequest. Each KEY is the path to a part of it, with dots
between the names of elements and of an attribute; one that stands there already is made once more. What
MetaInfo says is filled in. The exit code is 1 when the answer is a refusal.

    parley domain request b.example GetPresenceRequest UserID.userID=wv:bob@b.example --as alice@parley.test

The service must run, with a listener ssp:// or ssps://, and be logged in to the domain. parley ssp schema
prints every PRIMITIVE and KEY.`,
			setup: setupDomainRequest,
			words: requestable,
		},
		{
			name:  "ssp schema",
			short: "print all that there is in Wireless Village SSP: primitives, their parts, transactions",
			long: `Each primitive stands with its section and who sends it (R the requestor, P the provider, B both), and
under it a line for each part: @ marks attributes; the type; how often it stands there (1, ? at most once,
* any number, + once or more); whether it is mandatory (M), optional (O), conditional (C) or an addition (-);
the name that the specification has for it; the condition.`,
			setup: setupSSPSchema,
		},
		{
			name: "chat", args: "ADDRESS",
			short: "log in as somebody and chat over MSNP or XMPP, in the terminal or from a pipe",
			long:  chatHelp,
			setup: setupChat,
		},
		{
			name: "backup", args: "FILE",
			short: "write all of the service to one file",
			long: `The file is a tar of the database, the key file and the configuration. Whoever has it has every
password that is kept: only its owner can read it, and it should lie where nobody else
comes. The service may run meanwhile, and notices nothing. A file that exists is not written over.`,
			setup: setupBackup,
		},
		{
			name: "restore", args: "FILE",
			short: "bring back what backup wrote",
			long: `The service must not run. The backup is checked before anything is changed. What the data
folder had before stays there, with ".before" and the time at the end of its name. A configuration
that is there already is kept.`,
			setup: setupRestore,
		},
		{
			name:  "check",
			short: "look whether everything is as it should be",
			long: `Configuration, data folder, key file, database, certificate, listeners; and, while the service runs,
a conversation through each door. Each line says ok or what to do; the exit code is 1 when something is to be
done. The lines with "set" are DNS records by which XMPP clients find a service that others than this machine
can reach; nothing looks whether they are there.

With --client VERSION it plays that version of MSN Messenger instead, from its login to blocking somebody, against
the service that runs. The lines with "need" are what remains to be done where a real client is: names that must
lead here, certificates to be trusted, values in the registry.

    parley check --client 6.2`,
			setup: setupCheck,
		},
		{
			name: "completion", args: "SHELL",
			short: "print the completion of a shell: bash, zsh or fish",
			long: `A line for ~/.bashrc or ~/.zshrc, and what fish wants once:

    source <(parley completion bash)
    source <(parley completion zsh)
    parley completion fish > ~/.config/fish/completions/parley.fish`,
			setup: setupCompletion,
			words: func() []string { return shells },
		},
		{
			name:  "version",
			short: "print the version",
			setup: setupVersion,
		},
		{
			name: "help", args: "[COMMAND]...",
			short: "print what a command does",
			setup: setupHelp,
			words: func() []string {
				var names []string
				for _, c := range commands() {
					names = append(names, c.name)
				}
				return names
			},
		},
	}
}

const (
	passwordHelp = `The password is asked twice, without showing it; with --password-stdin it is the first line of
the standard input.`
	runningHelp = `While the service runs, it is told and heeds it at once; else the database is changed.`
)
