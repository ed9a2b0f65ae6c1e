-- Documents that doors keep for accounts, and groups that go with their last member.

-- +goose Up

ALTER TABLE contact_group ADD COLUMN lasts BIGINT NOT NULL DEFAULT 1; -- stays when it is empty

CREATE TABLE note (
    owner BIGINT NOT NULL, -- an account
    door  TEXT   NOT NULL,
    name  TEXT   NOT NULL,
    body  BYTEA  NOT NULL,
    PRIMARY KEY (owner, door, name)
) /* clustered */;
