-- The tables of the store. Both engines read this text: the one for SQLite puts
-- INTEGER where BIGINT PRIMARY KEY stands, and WITHOUT ROWID where a table is
-- marked as clustered, so that rows of one owner lie beside each other.
-- Times are nanoseconds since 1970 in UTC, 0 is none; yes is 1.

-- +goose Up

-- Everybody about whom anything is kept, with what makes most reading needless:
-- how many rows of each kind there are.
CREATE TABLE principal (
    id            BIGINT PRIMARY KEY,
    address       TEXT   NOT NULL UNIQUE,
    ours          BIGINT NOT NULL, -- has a row in account
    name          TEXT   NOT NULL, -- of an account: its display name
    presence      BIGINT NOT NULL, -- default for presence (im.Settings)
    messages      BIGINT NOT NULL, -- default for messages
    serial        BIGINT NOT NULL, -- stays when the account goes
    held_until    BIGINT NOT NULL, -- no account before this
    sides         BIGINT NOT NULL, -- rows in side of this owner
    contacts      BIGINT NOT NULL,
    allowed       BIGINT NOT NULL,
    denied        BIGINT NOT NULL,
    watchers      BIGINT NOT NULL,
    asking        BIGINT NOT NULL,
    lists         BIGINT NOT NULL, -- rows in rule_list
    groups_kept   BIGINT NOT NULL, -- rows in contact_group
    last_group    BIGINT NOT NULL, -- greatest number given to a group
    waiting       BIGINT NOT NULL, -- rows in message
    waiting_bytes BIGINT NOT NULL
);

CREATE TABLE account (
    id           BIGINT PRIMARY KEY, -- the principal's
    disabled     BIGINT NOT NULL,
    keys         BYTEA  NOT NULL,
    prompt       BIGINT NOT NULL,
    created      BIGINT NOT NULL,
    last_seen    BIGINT NOT NULL,
    listed       BIGINT NOT NULL,
    first_name   TEXT   NOT NULL,
    family_name  TEXT   NOT NULL,
    city         TEXT   NOT NULL,
    state        TEXT   NOT NULL,
    country      TEXT   NOT NULL,
    first_fold   TEXT   NOT NULL, -- the five as they are searched
    family_fold  TEXT   NOT NULL,
    city_fold    TEXT   NOT NULL,
    state_fold   TEXT   NOT NULL,
    country_fold TEXT   NOT NULL
);

CREATE INDEX account_listed ON account (id) WHERE listed = 1;

-- What one principal keeps about another, and beside it what the other's row says
-- of the owner as far as the owner's lists show it. Where one of two has a row, both have.
CREATE TABLE side (
    owner        BIGINT NOT NULL,
    other        BIGINT NOT NULL,
    contact      BIGINT NOT NULL,
    watch        BIGINT NOT NULL,
    access       BIGINT NOT NULL,
    may_write    BIGINT NOT NULL,
    denied       BIGINT NOT NULL, -- says again what the default rule list says
    their_watch  BIGINT NOT NULL,
    their_access BIGINT NOT NULL,
    their_denied BIGINT NOT NULL,
    alias        TEXT   NOT NULL,
    last_name    TEXT   NOT NULL,
    in_groups    TEXT   NOT NULL, -- numbers of the owner's groups, ascending, with a blank between
    access_name  TEXT   NOT NULL,
    access_ends  BIGINT NOT NULL,
    denied_name  TEXT   NOT NULL,
    PRIMARY KEY (owner, other)
) /* clustered */;

CREATE INDEX side_ends ON side (access_ends) WHERE access_ends > 0;

CREATE TABLE request (
    asked BIGINT NOT NULL,
    asker BIGINT NOT NULL,
    made  BIGINT NOT NULL,
    words TEXT   NOT NULL,
    door  TEXT   NOT NULL,
    body  BYTEA  NOT NULL,
    PRIMARY KEY (asked, asker)
) /* clustered */;

CREATE TABLE contact_group (
    owner BIGINT NOT NULL,
    id    BIGINT NOT NULL,
    name  TEXT   NOT NULL,
    place BIGINT NOT NULL,
    PRIMARY KEY (owner, id)
) /* clustered */;

CREATE TABLE rule_list (
    owner   BIGINT NOT NULL,
    name    TEXT   NOT NULL,
    judges  BIGINT NOT NULL, -- the default one
    PRIMARY KEY (owner, name)
) /* clustered */;

CREATE TABLE rule (
    owner BIGINT NOT NULL,
    list  TEXT   NOT NULL,
    place BIGINT NOT NULL,
    kind  BIGINT NOT NULL, -- im.By
    value TEXT   NOT NULL,
    grp   BIGINT NOT NULL,
    what  BIGINT NOT NULL, -- im.Traffic
    allow BIGINT NOT NULL,
    name  TEXT   NOT NULL,
    PRIMARY KEY (owner, list, place)
) /* clustered */;

-- Messages that wait for their receiver.
CREATE TABLE message (
    id          BIGINT PRIMARY KEY,
    receiver    BIGINT NOT NULL,
    sender      TEXT   NOT NULL, -- an address: strangers need no row to write
    sender_name TEXT   NOT NULL,
    sent        BIGINT NOT NULL,
    expires     BIGINT NOT NULL, -- 0 is never
    size        BIGINT NOT NULL,
    kind        BIGINT NOT NULL,
    report      BIGINT NOT NULL,
    notified    BIGINT NOT NULL,
    door        TEXT   NOT NULL,
    thread      TEXT   NOT NULL,
    format      TEXT   NOT NULL, -- JSON of im.Format, '' is none
    subject     TEXT   NOT NULL,
    words       TEXT   NOT NULL,
    body        BYTEA  NOT NULL
);

CREATE INDEX message_receiver ON message (receiver, id);
CREATE INDEX message_expires ON message (expires) WHERE expires > 0;

-- Removals of accounts that are under way.
CREATE TABLE removal (
    owner BIGINT PRIMARY KEY,
    step  BIGINT NOT NULL,
    done  BIGINT NOT NULL -- how far the step has come
);

CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value BYTEA NOT NULL
);
