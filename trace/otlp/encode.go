package otlp

import (
	"encoding/binary"
	"math"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// The encoder writes the messages of opentelemetry/proto/trace/v1/trace.proto in
// protobuf's wire format: a field is its number and wire type as a varint, then a
// varint, eight or four bytes, or a length and so many bytes.
const (
	wireVarint = 0
	wireI64    = 1
	wireBytes  = 2
	wireI32    = 5
)

type buffer []byte

func (b *buffer) tag(field, wire int) { *b = binary.AppendUvarint(*b, uint64(field<<3|wire)) }

func (b *buffer) bytes(field int, data []byte) {
	if len(data) == 0 {
		return
	}
	b.tag(field, wireBytes)
	*b = binary.AppendUvarint(*b, uint64(len(data)))
	*b = append(*b, data...)
}

// text writes a string. Protobuf strings are UTF-8: one invalid byte would make the
// receiver refuse the whole batch.
func (b *buffer) text(field int, s string) {
	if s == "" {
		return
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	b.tag(field, wireBytes)
	*b = binary.AppendUvarint(*b, uint64(len(s)))
	*b = append(*b, s...)
}

func (b *buffer) varint(field int, n uint64) {
	if n == 0 {
		return
	}
	b.tag(field, wireVarint)
	*b = binary.AppendUvarint(*b, n)
}

func (b *buffer) fixed64(field int, n uint64) {
	b.tag(field, wireI64)
	*b = binary.LittleEndian.AppendUint64(*b, n)
}

func (b *buffer) fixed32(field int, n uint32) {
	if n == 0 {
		return
	}
	b.tag(field, wireI32)
	*b = binary.LittleEndian.AppendUint32(*b, n)
}

// message writes a message whose length is known only afterwards: the content is
// written first, and moved if its length takes more than one byte.
func (b *buffer) message(field int, write func(*buffer)) {
	b.tag(field, wireBytes)
	at := len(*b)
	*b = append(*b, 0)
	write(b)
	n := len(*b) - at - 1
	if n < 0x80 {
		(*b)[at] = byte(n)
		return
	}
	length := binary.AppendUvarint(nil, uint64(n))
	*b = append(*b, length[1:]...)
	copy((*b)[at+len(length):], (*b)[at+1:at+1+n])
	copy((*b)[at:], length)
}

// attributes writes repeated KeyValue messages.
func (b *buffer) attributes(field int, list []attribute.KeyValue) {
	for _, kv := range list {
		b.message(field, func(b *buffer) {
			b.text(1, string(kv.Key))
			b.message(2, func(b *buffer) { b.value(kv.Value) })
		})
	}
}

// value writes the content of an AnyValue. Its fields are a oneof, so zero values
// are written too.
func (b *buffer) value(v attribute.Value) {
	switch v.Type() {
	case attribute.STRING:
		b.oneText(v.AsString())
	case attribute.BOOL:
		b.oneBool(v.AsBool())
	case attribute.INT64:
		b.oneInt(v.AsInt64())
	case attribute.FLOAT64:
		b.fixed64(4, math.Float64bits(v.AsFloat64()))
	case attribute.STRINGSLICE:
		array(b, v.AsStringSlice(), (*buffer).oneText)
	case attribute.BOOLSLICE:
		array(b, v.AsBoolSlice(), (*buffer).oneBool)
	case attribute.INT64SLICE:
		array(b, v.AsInt64Slice(), (*buffer).oneInt)
	case attribute.FLOAT64SLICE:
		array(b, v.AsFloat64Slice(), func(b *buffer, f float64) { b.fixed64(4, math.Float64bits(f)) })
	case attribute.BYTESLICE:
		data := v.AsByteSlice()
		b.tag(7, wireBytes)
		*b = binary.AppendUvarint(*b, uint64(len(data)))
		*b = append(*b, data...)
	case attribute.SLICE:
		array(b, v.AsSlice(), (*buffer).value)
	case attribute.MAP:
		b.message(6, func(b *buffer) { b.attributes(1, v.AsMap()) })
	case attribute.EMPTY: // an AnyValue without a field
	default:
		b.oneText(v.String())
	}
}

func (b *buffer) oneText(s string) {
	s = strings.ToValidUTF8(s, "\uFFFD")
	b.tag(1, wireBytes)
	*b = binary.AppendUvarint(*b, uint64(len(s)))
	*b = append(*b, s...)
}

func (b *buffer) oneBool(v bool) {
	b.tag(2, wireVarint)
	if v {
		*b = append(*b, 1)
	} else {
		*b = append(*b, 0)
	}
}

func (b *buffer) oneInt(n int64) {
	b.tag(3, wireVarint)
	*b = binary.AppendUvarint(*b, uint64(n))
}

// array writes an ArrayValue with an AnyValue for each element.
func array[T any](b *buffer, list []T, write func(*buffer, T)) {
	b.message(5, func(b *buffer) {
		for _, v := range list {
			b.message(1, func(b *buffer) { write(b, v) })
		}
	})
}

// span writes the content of a Span message.
func (b *buffer) span(s sdktrace.ReadOnlySpan, a []attribute.KeyValue) {
	sc := s.SpanContext()
	traceID, spanID := sc.TraceID(), sc.SpanID()
	b.bytes(1, traceID[:])
	b.bytes(2, spanID[:])
	b.text(3, sc.TraceState().String())
	if parent := s.Parent().SpanID(); parent.IsValid() {
		b.bytes(4, parent[:])
	}
	b.text(5, s.Name())
	b.varint(6, uint64(s.SpanKind())) // the numbers are the same
	start, end := s.StartTime().UnixNano(), s.EndTime().UnixNano()
	b.fixed64(7, uint64(start))
	b.fixed64(8, uint64(max(start, end))) // a clock that was set back makes no negative duration
	b.attributes(9, a)
	b.varint(10, uint64(max(s.DroppedAttributes(), 0)))
	for _, e := range s.Events() {
		b.message(11, func(b *buffer) {
			b.fixed64(1, uint64(e.Time.UnixNano()))
			b.text(2, e.Name)
			b.attributes(3, e.Attributes)
			b.varint(4, uint64(max(e.DroppedAttributeCount, 0)))
		})
	}
	b.varint(12, uint64(max(s.DroppedEvents(), 0)))
	for _, l := range s.Links() {
		b.message(13, func(b *buffer) {
			traceID, spanID := l.SpanContext.TraceID(), l.SpanContext.SpanID()
			b.bytes(1, traceID[:])
			b.bytes(2, spanID[:])
			b.text(3, l.SpanContext.TraceState().String())
			b.attributes(4, l.Attributes)
			b.varint(5, uint64(max(l.DroppedAttributeCount, 0)))
			b.fixed32(6, uint32(l.SpanContext.TraceFlags()))
		})
	}
	b.varint(14, uint64(max(s.DroppedLinks(), 0)))
	b.status(s.Status())
	b.fixed32(16, uint32(sc.TraceFlags()))
}

func (b *buffer) status(s sdktrace.Status) {
	if s.Code == codes.Unset {
		return
	}
	b.message(15, func(b *buffer) {
		b.text(2, s.Description)
		b.varint(3, map[codes.Code]uint64{codes.Ok: 1, codes.Error: 2}[s.Code])
	})
}

func (b *buffer) resource(r *resource.Resource, extra []attribute.KeyValue) {
	b.message(1, func(b *buffer) {
		b.attributes(1, r.Attributes())
		b.attributes(1, extra)
	})
}

func (b *buffer) scope(s instrumentation.Scope) {
	b.message(1, func(b *buffer) {
		b.text(1, s.Name)
		b.text(2, s.Version)
		b.attributes(3, s.Attributes.ToSlice())
	})
}

// A group is the encoded spans of one resource, by scope.
type group struct {
	resource *resource.Resource
	scopes   []scoped
}

type scoped struct {
	scope instrumentation.Scope
	spans [][]byte // the content of Span messages
}

// request writes an ExportTraceServiceRequest.
func request(groups []group, extra []attribute.KeyValue) []byte {
	var b buffer
	for _, g := range groups {
		b.message(1, func(b *buffer) { // ResourceSpans
			b.resource(g.resource, extra)
			for _, sc := range g.scopes {
				b.message(2, func(b *buffer) { // ScopeSpans
					b.scope(sc.scope)
					for _, s := range sc.spans {
						b.bytes(2, s)
					}
					b.text(3, sc.scope.SchemaURL)
				})
			}
			b.text(3, g.resource.SchemaURL())
		})
	}
	return b
}
