-- Rooms that last, what they keep about people, and what was said in them. People are addresses: those of other
-- domains come and go, and need no row of their own.

-- +goose Up

CREATE TABLE room (
    id         BIGINT PRIMARY KEY,
    home       TEXT   NOT NULL, -- a domain, or the person whose own it is
    name       TEXT   NOT NULL, -- folded
    owner      TEXT   NOT NULL, -- on whose account it counts, '' is the service
    created    BIGINT NOT NULL,
    persists   BIGINT NOT NULL,
    searchable BIGINT NOT NULL,
    name_fold  TEXT   NOT NULL, -- of the properties, as they are searched
    topic_fold TEXT   NOT NULL,
    props      TEXT   NOT NULL, -- JSON of im.RoomProps
    UNIQUE (home, name)
);

CREATE INDEX room_owner ON room (owner);
CREATE INDEX room_searchable ON room (id) WHERE searchable = 1;
CREATE INDEX room_passing ON room (id) WHERE persists = 0;

CREATE TABLE room_person (
    room        BIGINT NOT NULL,
    who         TEXT   NOT NULL,
    affiliation BIGINT NOT NULL, -- im.Affiliation
    nick        TEXT   NOT NULL,
    own         BIGINT NOT NULL, -- im.OwnProps: 1 no private messages, 2 shows the address, 4 enters by itself
    PRIMARY KEY (room, who)
) /* clustered */;

CREATE INDEX room_person_who ON room_person (who);

CREATE TABLE room_message (
    room    BIGINT NOT NULL,
    id      BIGINT NOT NULL, -- the message's
    sender  TEXT   NOT NULL,
    nick    TEXT   NOT NULL,
    sent    BIGINT NOT NULL,
    door    TEXT   NOT NULL,
    thread  TEXT   NOT NULL,
    format  TEXT   NOT NULL, -- JSON of im.Format, '' is none
    subject TEXT   NOT NULL,
    words   TEXT   NOT NULL,
    body    BYTEA  NOT NULL,
    PRIMARY KEY (room, id)
) /* clustered */;
