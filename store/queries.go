package store

// Every statement of the store, in one text for both engines: numbered parameters,
// ON CONFLICT, RETURNING, no ORDER BY on text, 0 and 1 for no and yes.

// principalColumns are read by principal.scan.
const principalColumns = `p.id, p.address, p.name,
	p.ours + 2 * p.presence + 8 * p.messages,
	p.serial, p.held_until, p.sides, p.contacts, p.allowed, p.denied, p.watchers, p.asking,
	p.lists, p.groups_kept, p.last_group, p.waiting, p.waiting_bytes`

// accountColumns are read by scanAccount.
const accountColumns = `a.disabled + 2 * a.prompt + 4 * a.listed,
	a.keys, a.created, a.last_seen, a.first_name, a.family_name, a.city, a.state, a.country`

// sideColumns are read by sideRow.
const sideColumns = `s.contact + 2 * s.watch + 8 * s.access + 32 * s.may_write + 64 * s.denied,
	s.alias, s.last_name, s.in_groups, s.access_name, s.access_ends, s.denied_name`

// messageColumns are read by scanMessage.
const messageColumns = `m.id, m.sender, m.sender_name, m.sent,
	m.kind + 256 * m.report, m.door, m.thread, m.format, m.subject, m.words, m.body`

const (
	principalByAddress = `SELECT ` + principalColumns + ` FROM principal p WHERE p.address = $1`
	principalByID      = `SELECT ` + principalColumns + ` FROM principal p WHERE p.id = $1`
	greatestPrincipal  = `SELECT COALESCE(MAX(id), 0) FROM principal`
	insertPrincipal    = `INSERT INTO principal (id, name, ours, presence, messages, serial, held_until, sides,
		contacts, allowed, denied, watchers, asking, lists, groups_kept, last_group, waiting, waiting_bytes, address)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`
	// An address never changes; naming it here would have its index written each time.
	updatePrincipal = `UPDATE principal SET name = $2, ours = $3, presence = $4, messages = $5, serial = $6,
		held_until = $7, sides = $8, contacts = $9, allowed = $10, denied = $11, watchers = $12, asking = $13,
		lists = $14, groups_kept = $15, last_group = $16, waiting = $17, waiting_bytes = $18 WHERE id = $1`
	deletePrincipal = `DELETE FROM principal WHERE id = $1`
	raiseSerials    = `UPDATE principal SET serial = serial + $1 WHERE serial > 0`
)

const (
	accountByAddress = `SELECT ` + principalColumns + `, ` + accountColumns + `
		FROM principal p JOIN account a ON a.id = p.id WHERE p.address = $1`
	accountsAfter = `SELECT ` + principalColumns + `, ` + accountColumns + `
		FROM account a JOIN principal p ON p.id = a.id WHERE a.id > $1 ORDER BY a.id LIMIT $2`
	countAccounts = `SELECT COUNT(*) FROM account`
	insertAccount = `INSERT INTO account (id, disabled, keys, prompt, created, last_seen, listed,
		first_name, family_name, city, state, country,
		first_fold, family_fold, city_fold, state_fold, country_fold)
		VALUES ($1, 0, $2, 0, $3, 0, 0, '', '', '', '', '', '', '', '', '', '')`
	putLastSeen   = `UPDATE account SET last_seen = $2 WHERE id = (SELECT p.id FROM principal p WHERE p.address = $1)`
	updateAccount = `UPDATE account SET disabled = $2, keys = $3, prompt = $4, created = $5, last_seen = $6,
		listed = $7, first_name = $8, family_name = $9, city = $10, state = $11, country = $12,
		first_fold = $13, family_fold = $14, city_fold = $15, state_fold = $16, country_fold = $17
		WHERE id = $1`
	deleteAccount = `DELETE FROM account WHERE id = $1`
	findProfiles  = `SELECT ` + principalColumns + `, ` + accountColumns + `
		FROM account a JOIN principal p ON p.id = a.id
		WHERE a.listed = 1 AND a.disabled = 0
		AND ($1 = '' OR SUBSTR(a.first_fold, 1, LENGTH($1)) = $1)
		AND ($2 = '' OR SUBSTR(a.family_fold, 1, LENGTH($2)) = $2)
		AND ($3 = '' OR SUBSTR(a.city_fold, 1, LENGTH($3)) = $3)
		AND ($4 = '' OR SUBSTR(a.state_fold, 1, LENGTH($4)) = $4)
		AND ($5 = '' OR SUBSTR(a.country_fold, 1, LENGTH($5)) = $5)
		ORDER BY CASE WHEN ($1 = '' OR a.first_fold = $1) AND ($2 = '' OR a.family_fold = $2)
			AND ($3 = '' OR a.city_fold = $3) AND ($4 = '' OR a.state_fold = $4)
			AND ($5 = '' OR a.country_fold = $5) THEN 0 ELSE 1 END, a.id
		LIMIT $6`
)

const (
	// entriesOf puts all that is small into one number (see Entries): a column less
	// to carry for each of thousands of rows.
	entriesOf = `SELECT s.contact + 2 * s.watch + 8 * s.access + 32 * s.may_write + 64 * s.denied
			+ 128 * s.their_watch + 512 * s.their_access + 2048 * s.their_denied
			+ 4096 * p.ours + 8192 * p.presence + 32768 * p.messages,
		s.alias, s.last_name, s.in_groups, s.access_name, s.access_ends, s.denied_name,
		p.address, p.name
		FROM side s JOIN principal p ON p.id = s.other WHERE s.owner = $1 ORDER BY s.other`
	pairOf = `SELECT ` + sideColumns + `,
		t.contact + 2 * t.watch + 8 * t.access + 32 * t.may_write + 64 * t.denied,
		t.alias, t.last_name, t.in_groups, t.access_name, t.access_ends, t.denied_name
		FROM side s JOIN side t ON t.owner = s.other AND t.other = s.owner
		WHERE s.owner = $1 AND s.other = $2`
	putSide = `INSERT INTO side (owner, other, contact, watch, access, may_write, denied,
		their_watch, their_access, their_denied, alias, last_name, in_groups, access_name, access_ends, denied_name)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
		ON CONFLICT (owner, other) DO UPDATE SET contact = excluded.contact, watch = excluded.watch,
		access = excluded.access, may_write = excluded.may_write, denied = excluded.denied,
		their_watch = excluded.their_watch, their_access = excluded.their_access,
		their_denied = excluded.their_denied, alias = excluded.alias, last_name = excluded.last_name,
		in_groups = excluded.in_groups, access_name = excluded.access_name,
		access_ends = excluded.access_ends, denied_name = excluded.denied_name`
	deleteSide = `DELETE FROM side WHERE owner = $1 AND other = $2`
	peersAfter = `SELECT p.id, p.address FROM principal p WHERE p.id > $1 AND p.ours = 0 AND (p.sides > 0 OR p.waiting > 0)
		AND (p.address = $2 OR p.address LIKE $3) ORDER BY p.id LIMIT $4`
	othersAfter = `SELECT s.other, p.address FROM side s JOIN principal p ON p.id = s.other
		WHERE s.owner = $1 AND s.other > $2 ORDER BY s.other LIMIT $3`
	askingOf = `SELECT p.address FROM side s JOIN principal p ON p.id = s.other
		WHERE s.owner = $1 AND s.their_watch = 1 ORDER BY s.other`
	accessDue = `SELECT o.address, p.address FROM side s
		JOIN principal o ON o.id = s.owner JOIN principal p ON p.id = s.other
		WHERE s.access_ends > 0 AND s.access_ends <= $1 ORDER BY s.access_ends LIMIT $2`
	accessNext = `SELECT COALESCE(MIN(access_ends), 0) FROM side WHERE access_ends > 0 AND access_ends > $1`
	grouped    = `SELECT p.address, s.in_groups FROM side s JOIN principal p ON p.id = s.other
		WHERE s.owner = $1 AND s.in_groups <> '' ORDER BY s.other`
)

const (
	putRequest = `INSERT INTO request (asked, asker, made, words, door, body) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (asked, asker) DO UPDATE SET made = excluded.made, words = excluded.words,
		door = excluded.door, body = excluded.body`
	requestsOf = `SELECT p.address, r.made, r.words, r.door, r.body FROM request r JOIN principal p ON p.id = r.asker
		WHERE r.asked = $1 ORDER BY r.asker`
	deleteRequest = `DELETE FROM request WHERE asked = $1 AND asker = $2`
)

const (
	groupsOf    = `SELECT id, name, place, lasts FROM contact_group WHERE owner = $1 ORDER BY place, id`
	insertGroup = `INSERT INTO contact_group (owner, id, name, place, lasts) VALUES ($1, $2, $3, $4, $5)`
	renameGroup = `UPDATE contact_group SET name = $3 WHERE owner = $1 AND id = $2`
	deleteGroup = `DELETE FROM contact_group WHERE owner = $1 AND id = $2`
)

const (
	listsOf = `SELECT name, judges FROM rule_list WHERE owner = $1`
	rulesOf = `SELECT list, place, kind, value, grp, what, allow, name FROM rule WHERE owner = $1 ORDER BY place`
	putList = `INSERT INTO rule_list (owner, name, judges) VALUES ($1, $2, $3)
		ON CONFLICT (owner, name) DO UPDATE SET judges = excluded.judges`
	clearDefault = `UPDATE rule_list SET judges = 0 WHERE owner = $1 AND name <> $2`
	deleteList   = `DELETE FROM rule_list WHERE owner = $1 AND name = $2`
	deleteRules  = `DELETE FROM rule WHERE owner = $1 AND list = $2`
	insertRule   = `INSERT INTO rule (owner, list, place, kind, value, grp, what, allow, name)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`
	firstPlace  = `SELECT COALESCE(MIN(place), 1) FROM rule WHERE owner = $1 AND list = $2`
	countRules  = `SELECT COUNT(*) FROM rule WHERE owner = $1 AND list = $2`
	wholeDenial = ` WHERE owner = $1 AND list = $2 AND kind = $3 AND value = $4 AND what = $5 AND allow = 0`
	renameRule  = `UPDATE rule SET name = $6` + wholeDenial
	undeny      = `DELETE FROM rule` + wholeDenial
)

const (
	putMessage = `INSERT INTO message (id, receiver, sender, sender_name, sent, expires, size, kind, report, notified,
		door, thread, format, subject, words, body)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, $11, $12, $13, $14, $15)
		ON CONFLICT (id) DO NOTHING`
	waitingAfter = `SELECT ` + messageColumns + ` FROM message m
		WHERE m.receiver = $1 AND m.id > $2 ORDER BY m.id LIMIT $3`
	expiredFar = `SELECT ` + messageColumns + `, p.address FROM message m JOIN principal p ON p.id = m.receiver
		WHERE m.expires > 0 AND m.expires <= $1 AND p.ours = 0 ORDER BY m.expires LIMIT $2`
	waitingFrom = `SELECT ` + messageColumns + ` FROM message m
		WHERE m.receiver = $1 AND m.sender = $2 ORDER BY m.id LIMIT $3`
	waitingSenders  = `SELECT sender FROM message WHERE receiver = $1 ORDER BY id`
	notified        = `SELECT notified FROM message WHERE id = $1`
	markNotified    = `UPDATE message SET notified = 1 WHERE id = $1`
	deleteMessage   = `DELETE FROM message WHERE id = $1 RETURNING receiver, size`
	deleteMessageTo = `DELETE FROM message WHERE id IN
		(SELECT id FROM message WHERE receiver = $1 ORDER BY id LIMIT $2) RETURNING receiver, size`
	deleteExpired = `DELETE FROM message WHERE id IN
		(SELECT id FROM message WHERE expires > 0 AND expires <= $1 ORDER BY expires LIMIT $2)
		RETURNING receiver, size`
)

// What the rows say again must be the same in both places (see Store.Check).
const (
	wrongCounts = `SELECT COUNT(*) FROM principal p WHERE
		p.sides <> (SELECT COUNT(*) FROM side s WHERE s.owner = p.id)
		OR p.contacts <> (SELECT COUNT(*) FROM side s WHERE s.owner = p.id AND s.contact = 1)
		OR p.allowed <> (SELECT COUNT(*) FROM side s WHERE s.owner = p.id AND s.access >= 2 AND s.denied = 0)
		OR p.denied <> (SELECT COUNT(*) FROM side s WHERE s.owner = p.id AND s.denied = 1)
		OR p.watchers <> (SELECT COUNT(*) FROM side s WHERE s.owner = p.id AND s.their_watch > 0)
		OR p.asking <> (SELECT COUNT(*) FROM side s WHERE s.owner = p.id AND s.their_watch = 1)
		OR p.lists <> (SELECT COUNT(*) FROM rule_list l WHERE l.owner = p.id)
		OR p.groups_kept <> (SELECT COUNT(*) FROM contact_group g WHERE g.owner = p.id)
		OR p.waiting <> (SELECT COUNT(*) FROM message m WHERE m.receiver = p.id)
		OR p.waiting_bytes <> (SELECT COALESCE(SUM(m.size), 0) FROM message m WHERE m.receiver = p.id)
		OR p.ours <> (SELECT COUNT(*) FROM account a WHERE a.id = p.id)`
	wrongMirrors = `SELECT COUNT(*) FROM side s
		LEFT JOIN side t ON t.owner = s.other AND t.other = s.owner
		LEFT JOIN principal p ON p.id = s.other
		WHERE t.owner IS NULL OR p.id IS NULL OR t.watch <> s.their_watch OR t.access <> s.their_access
		OR t.denied <> s.their_denied
		OR s.denied <> (SELECT CASE WHEN COUNT(*) > 0 THEN 1 ELSE 0 END FROM rule r JOIN rule_list l ON l.owner = r.owner AND l.name = r.list
			WHERE r.owner = s.owner AND l.judges = 1 AND r.kind = $1 AND r.value = p.address AND r.what = $2 AND r.allow = 0
			AND r.place < COALESCE((SELECT MIN(q.place) FROM rule q WHERE q.owner = r.owner AND q.list = r.list
				AND NOT (q.kind IN ($1, $3, $4) AND q.what = $2 AND q.allow = 0)), r.place + 1))`
	wrongOwners = `SELECT (SELECT COUNT(*) FROM side s WHERE s.owner NOT IN (SELECT id FROM principal))
		+ (SELECT COUNT(*) FROM message m WHERE m.receiver NOT IN (SELECT id FROM principal))
		+ (SELECT COUNT(*) FROM request r WHERE r.asked NOT IN (SELECT id FROM principal)
			OR r.asker NOT IN (SELECT id FROM principal))
		+ (SELECT COUNT(*) FROM rule r WHERE r.owner NOT IN (SELECT id FROM principal))
		+ (SELECT COUNT(*) FROM rule_list l WHERE l.owner NOT IN (SELECT id FROM principal))
		+ (SELECT COUNT(*) FROM contact_group g WHERE g.owner NOT IN (SELECT id FROM principal))
		+ (SELECT COUNT(*) FROM note n WHERE n.owner NOT IN (SELECT id FROM account))
		+ (SELECT COUNT(*) FROM removal v WHERE v.owner NOT IN (SELECT id FROM account))`
)

const (
	noteOf      = `SELECT body FROM note WHERE owner = $1 AND door = $2 AND name = $3`
	notesAround = `SELECT p.address, n.body FROM side s JOIN note n ON n.owner = s.other AND n.door = $2 AND n.name = $3
		JOIN principal p ON p.id = n.owner WHERE s.owner = $1 UNION ALL
		SELECT p.address, n.body FROM note n JOIN principal p ON p.id = n.owner WHERE n.owner = $1 AND n.door = $2 AND n.name = $3`
	putNote = `INSERT INTO note (owner, door, name, body) VALUES ($1, $2, $3, $4)
		ON CONFLICT (owner, door, name) DO UPDATE SET body = excluded.body`
	deleteNote  = `DELETE FROM note WHERE owner = $1 AND door = $2 AND name = $3`
	deleteNotes = `DELETE FROM note WHERE owner = $1`
	countNotes  = `SELECT COUNT(*) FROM note WHERE owner = $1`
)

// roomColumns are read by scanRoom.
const roomColumns = `r.id, r.home, r.name, r.owner, r.created, r.props`

const (
	roomByName = `SELECT ` + roomColumns + ` FROM room r WHERE r.home = $1 AND r.name = $2`
	lastRoom   = `SELECT COALESCE(MAX(id), 0) FROM room`
	countRooms = `SELECT COUNT(*) FROM room WHERE owner = $1`
	insertRoom = `INSERT INTO room (id, home, name, owner, created, persists, searchable, name_fold, topic_fold, props)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`
	updateRoom = `UPDATE room SET persists = $2, searchable = $3, name_fold = $4, topic_fold = $5, props = $6, owner = $7
		WHERE id = $1`
	deleteRoom       = `DELETE FROM room WHERE id = $1`
	deleteRoomPeople = `DELETE FROM room_person WHERE room = $1`
	deleteRoomSaid   = `DELETE FROM room_message WHERE room = $1`
	passingRooms     = `SELECT id FROM room WHERE persists = 0 ORDER BY id`
	findRooms        = `SELECT ` + roomColumns + ` FROM room r WHERE r.id > $1 AND r.searchable = 1
		AND ($2 = '' OR r.name_fold LIKE $2 ESCAPE '!') AND ($3 = '' OR r.topic_fold LIKE $3 ESCAPE '!')
		AND ($4 = '' OR r.home = $4) AND ($5 = '' OR r.owner = $5) AND ($6 = '' OR r.name LIKE $6 ESCAPE '!')
		ORDER BY r.id LIMIT $7`
	roomPeople      = `SELECT who, affiliation, nick, own FROM room_person WHERE room = $1`
	roomPerson      = `SELECT who, affiliation, nick, own FROM room_person WHERE room = $1 AND who = $2`
	countRoomPeople = `SELECT COUNT(*) FROM room_person WHERE room = $1`
	putRoomPerson   = `INSERT INTO room_person (room, who, affiliation, nick, own) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (room, who) DO UPDATE SET affiliation = excluded.affiliation, nick = excluded.nick, own = excluded.own`
	deleteRoomPerson = `DELETE FROM room_person WHERE room = $1 AND who = $2`
	roomsWith        = `SELECT r.home, r.name, p.affiliation, p.nick, p.own FROM room_person p JOIN room r ON r.id = p.room
		WHERE p.who = $1 ORDER BY r.id`
	roomsOwned   = `SELECT ` + roomColumns + ` FROM room r WHERE r.owner = $1 OR r.home = $1 ORDER BY r.id`
	forgetPerson = `DELETE FROM room_person WHERE who = $1`
	insertSaid   = `INSERT INTO room_message (room, id, sender, nick, sent, door, thread, format, subject, words, body)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (room, id) DO NOTHING`
	trimSaid = `DELETE FROM room_message WHERE room = $1 AND id <=
		(SELECT id FROM room_message WHERE room = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)`
	lastSaid = `SELECT id, sender, nick, sent, door, thread, format, subject, words, body FROM room_message
		WHERE room = $1 ORDER BY id DESC LIMIT $2`
	wrongRooms = `SELECT (SELECT COUNT(*) FROM room_person p WHERE p.room NOT IN (SELECT id FROM room))
		+ (SELECT COUNT(*) FROM room_message m WHERE m.room NOT IN (SELECT id FROM room))`
)

const (
	metaOf  = `SELECT value FROM meta WHERE name = $1`
	putMeta = `INSERT INTO meta (name, value) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`
	removalOf  = `SELECT step, done FROM removal WHERE owner = $1`
	putRemoval = `INSERT INTO removal (owner, step, done) VALUES ($1, $2, $3)
		ON CONFLICT (owner) DO UPDATE SET step = excluded.step, done = excluded.done`
	removals = `SELECT p.address, r.step, r.done FROM removal r JOIN principal p ON p.id = r.owner
		ORDER BY r.owner`
	deleteRemoval = `DELETE FROM removal WHERE owner = $1`
)

// domainColumns are read by Tx.domains.
const domainColumns = `name, url, service, digest, dialect, tls, offers, wants, route, keep, connections, added, secret, proof`

const (
	domainOf   = `SELECT ` + domainColumns + ` FROM domain WHERE name = $1`
	allDomains = `SELECT ` + domainColumns + ` FROM domain`
	putDomain  = `INSERT INTO domain (` + domainColumns + `)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
		ON CONFLICT (name) DO UPDATE SET url = excluded.url, service = excluded.service, digest = excluded.digest,
		dialect = excluded.dialect, tls = excluded.tls, offers = excluded.offers, wants = excluded.wants,
		route = excluded.route, keep = excluded.keep, connections = excluded.connections, added = excluded.added,
		secret = excluded.secret, proof = excluded.proof`
	deleteDomain = `DELETE FROM domain WHERE name = $1`
)
