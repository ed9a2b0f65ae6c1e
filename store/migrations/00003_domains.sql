-- Other domains, as the operator registered them (im.Domain).

-- +goose Up

CREATE TABLE domain (
    name        TEXT   NOT NULL PRIMARY KEY,
    url         TEXT   NOT NULL,
    service     TEXT   NOT NULL,
    digest      TEXT   NOT NULL,
    dialect     TEXT   NOT NULL,
    tls         TEXT   NOT NULL,
    offers      TEXT   NOT NULL, -- names with a blank between; '*' is all there is, '' nothing
    wants       TEXT   NOT NULL,
    route       TEXT   NOT NULL,
    keep        BIGINT NOT NULL,
    connections BIGINT NOT NULL,
    added       BIGINT NOT NULL,
    secret      BYTEA  NOT NULL, -- sealed
    proof       BYTEA  NOT NULL
);
