package queue

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// A record is a job as the embedded stores keep it: small, because a million of them
// are in memory. A record in the table never changes; a new one takes its place. So a
// snapshot is a list of pointers.
type record struct {
	id, kind, queue, payload string
	unique, group            string
	rest                     *rest // what few jobs have

	seq                    uint64 // order of arrival
	lease                  uint64
	runAt, enqueued        int64 // Unix nanoseconds
	finished, leaseEnd     int64
	timeout, keep          int64
	maxAttempts, maxLosses int32
	failures, losses       int32
	groupIndex             int32
	state                  State
	reason                 Reason
	error, class, worker   string
	progress, result       string
}

// rest never changes.
type rest struct {
	headers map[string]string
	then    []Step
}

func recordOf(j *Job, seq uint64) *record {
	r := &record{
		id: j.ID, kind: j.Kind, queue: j.Queue, payload: string(j.Payload), unique: j.Unique, group: j.Group,
		seq: seq, runAt: nanos(j.RunAt), enqueued: nanos(j.Enqueued), timeout: int64(j.Timeout), keep: int64(j.Keep),
		maxAttempts: int32(j.MaxAttempts), maxLosses: int32(j.MaxLosses), groupIndex: int32(j.GroupIndex), state: StatePending,
	}
	if len(j.Headers) > 0 || len(j.Then) > 0 {
		r.rest = &rest{headers: maps.Clone(j.Headers), then: slices.Clone(j.Then)}
	}
	return r
}

func (r *record) job() *Job {
	j := &Job{
		ID: r.id, Kind: r.kind, Queue: r.queue, Payload: raw(r.payload), State: r.state,
		RunAt: instant(r.runAt), MaxAttempts: int(r.maxAttempts), MaxLosses: int(r.maxLosses),
		Timeout: time.Duration(r.timeout), Keep: time.Duration(r.keep), Unique: r.unique,
		Group: r.group, GroupIndex: int(r.groupIndex),
		Failures: int(r.failures), Losses: int(r.losses), Error: r.error, Class: r.class, Reason: r.reason,
		Progress: raw(r.progress), Result: raw(r.result), Worker: r.worker, Lease: r.lease,
		LeaseEnd: instant(r.leaseEnd), Enqueued: instant(r.enqueued), Finished: instant(r.finished),
	}
	if r.rest != nil {
		j.Headers, j.Then = maps.Clone(r.rest.headers), slices.Clone(r.rest.then)
	}
	return j
}

func raw(s string) json.RawMessage {
	if s == "" {
		return nil
	}
	return json.RawMessage(s)
}

// The zero time is 0, which no job has.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func instant(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns)
}

// The operations of a journal. A transaction is a row of them.
const (
	opPut       = 'P' // a whole record
	opMeta      = 'M' // what changes in a record's life
	opDelete    = 'D'
	opSlot      = 'S'
	opGroup     = 'G'
	opResult    = 'R' // of a job in a group
	opGroupGone = 'g'
	opEnd       = 'E' // the end of a snapshot
)

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendPut(b []byte, r *record) []byte {
	b = append(b, opPut)
	for _, s := range [...]string{r.id, r.kind, r.queue, r.payload, r.unique, r.group} {
		b = appendString(b, s)
	}
	b = binary.AppendUvarint(b, r.seq)
	for _, n := range [...]int64{r.enqueued, r.timeout, r.keep, int64(r.maxAttempts), int64(r.maxLosses), int64(r.groupIndex)} {
		b = binary.AppendVarint(b, n)
	}
	var more string
	if r.rest != nil {
		data, err := json.Marshal(struct {
			Headers map[string]string `json:",omitempty"`
			Then    []Step            `json:",omitempty"`
		}{r.rest.headers, r.rest.then})
		if err == nil { // strings, numbers and payloads that Add has checked
			more = string(data)
		}
	}
	return appendChanging(appendString(b, more), r)
}

func appendMeta(b []byte, r *record) []byte {
	return appendChanging(appendString(append(b, opMeta), r.id), r)
}

func appendChanging(b []byte, r *record) []byte {
	b = append(b, byte(r.state), byte(r.reason))
	b = binary.AppendUvarint(b, r.lease)
	for _, n := range [...]int64{r.runAt, r.finished, r.leaseEnd, int64(r.failures), int64(r.losses)} {
		b = binary.AppendVarint(b, n)
	}
	for _, s := range [...]string{r.error, r.class, r.worker, r.progress, r.result} {
		b = appendString(b, s)
	}
	return b
}

func appendGroup(b []byte, g *group) ([]byte, error) {
	data, err := json.Marshal(g)
	if err != nil {
		return b, err
	}
	return appendString(append(b, opGroup), string(data)), nil
}

var errShort = errors.New("queue: a record ends too early")

// A decoder reads a transaction. Strings share the memory of text.
type decoder struct {
	text string
	err  error
}

func (d *decoder) fail() {
	d.err, d.text = errShort, ""
}

func (d *decoder) byte() byte {
	if d.text == "" {
		d.fail()
		return 0
	}
	c := d.text[0]
	d.text = d.text[1:]
	return c
}

func (d *decoder) uvarint() uint64 {
	var x uint64
	for shift := uint(0); shift < 64; shift += 7 {
		c := d.byte()
		x |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return x
		}
	}
	d.fail()
	return 0
}

func (d *decoder) varint() int64 {
	ux := d.uvarint()
	return int64(ux>>1) ^ -int64(ux&1)
}

func (d *decoder) string() string {
	n := d.uvarint()
	if n > uint64(len(d.text)) {
		d.fail()
		return ""
	}
	if n == 0 {
		return "" // without an address that the collector follows
	}
	s := d.text[:n]
	d.text = d.text[n:]
	return s
}

func (d *decoder) put() *record {
	r := &record{}
	for _, s := range [...]*string{&r.id, &r.kind, &r.queue, &r.payload, &r.unique, &r.group} {
		*s = d.string()
	}
	r.seq = d.uvarint()
	for _, n := range [...]*int64{&r.enqueued, &r.timeout, &r.keep} {
		*n = d.varint()
	}
	for _, n := range [...]*int32{&r.maxAttempts, &r.maxLosses, &r.groupIndex} {
		*n = int32(d.varint())
	}
	if more := d.string(); more != "" {
		var x struct {
			Headers map[string]string
			Then    []Step
		}
		if err := json.Unmarshal([]byte(more), &x); err != nil {
			d.err = fmt.Errorf("queue: job %s: %w", r.id, err)
		}
		r.rest = &rest{headers: x.Headers, then: x.Then}
	}
	d.changing(r)
	return r
}

func (d *decoder) changing(r *record) {
	r.state, r.reason = State(d.byte()), Reason(d.byte())
	if d.err == nil && (r.state < StatePending || r.state > StateDead) {
		d.err = fmt.Errorf("queue: job %s has the state %d", r.id, r.state)
	}
	r.lease = d.uvarint()
	for _, n := range [...]*int64{&r.runAt, &r.finished, &r.leaseEnd} {
		*n = d.varint()
	}
	for _, n := range [...]*int32{&r.failures, &r.losses} {
		*n = int32(d.varint())
	}
	for _, s := range [...]*string{&r.error, &r.class, &r.worker, &r.progress, &r.result} {
		*s = d.string()
	}
}
