package storetest

import (
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/embeddings"
	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/retrieve/store"
)

// Dim is the length of the vectors of [Embedder].
const Dim = 8

// A Subject is what is tested.
type Subject interface {
	store.Retriever
	store.Source
	store.Sink
}

// Setup says how to make a subject.
type Setup struct {
	// New makes an empty store with this embedder. Searches belong to the tenant and the
	// groups of [Caller].
	New func(t *testing.T, e embeddings.Embedder) Subject

	// Dying makes two stores of one new collection: the second one's connection breaks
	// when kill is called. Default: nil, the test of a dying store is left out.
	Dying func(t *testing.T, e embeddings.Embedder) (healthy, dying Subject, kill func())

	// NoStringOrder: the database can't evaluate < and > for strings, and must refuse
	// them with store.ErrUnsupported. Default: false, it can.
	NoStringOrder bool

	// NoNUL: the database can't store a text with a NUL, and must say so for that
	// document alone. Default: false, it can.
	NoNUL bool
}

// At is the setup of a database that has a URL, such as a server. fresh returns the
// name of a new collection, and open opens one through a URL. A connection that breaks goes
// through a [Proxy].
func At(address string, fresh func(t *testing.T) string, open func(t *testing.T, address, name string) store.Database) Setup {
	return Setup{
		New: func(t *testing.T, e embeddings.Embedder) Subject {
			return Open(t, open(t, address, fresh(t)), e)
		},
		Dying: func(t *testing.T, e embeddings.Embedder) (healthy, dying Subject, kill func()) {
			through, err := url.Parse(address)
			require.NoError(t, err)
			proxy := NewProxy(t, through.Host)
			through.Host = proxy.Addr()
			name := fresh(t)
			return Open(t, open(t, address, name), e), Open(t, open(t, through.String(), name), e), proxy.Kill
		},
	}
}

var names atomic.Int64

// Name returns a name for a new collection, such as Test_4711_1. No other process on this
// machine has it.
func Name() string { return fmt.Sprintf("Test_%d_%d", os.Getpid(), names.Add(1)) }

type callerKey struct{}

type caller struct {
	tenant string
	groups []string
}

// Caller returns a context whose searches belong to a tenant and groups.
func Caller(ctx context.Context, tenant string, groups ...string) context.Context {
	return context.WithValue(ctx, callerKey{}, caller{tenant, groups})
}

// Tenant is the Options.Tenant of a subject.
func Tenant(ctx context.Context) string {
	who, _ := ctx.Value(callerKey{}).(caller)
	return who.tenant
}

// Groups is the Options.Groups of a subject.
func Groups(ctx context.Context) []string {
	who, _ := ctx.Value(callerKey{}).(caller)
	return who.groups
}

// Options are the options of a [store.Store] for the tests.
func Options() *store.Options {
	return &store.Options{Tenant: Tenant, Groups: Groups, Backoff: time.Millisecond, Attempts: 2}
}

// Open makes the store of a database, and fails the test if it can't.
func Open(t *testing.T, db store.Database, e embeddings.Embedder) *store.Store {
	t.Helper()
	s, err := store.New(db, e, Options())
	require.NoError(t, err)
	return s
}

// An Embedder counts words into a few directions. Any two texts have a cosine above 0,
// so that only filters leave something out. The text "(zero)" has a vector without a
// direction.
type Embedder struct {
	Before func(call int) // is called before the documents of a call are embedded

	mu    sync.Mutex
	calls int
	texts int
}

// Texts returns how many texts of documents were embedded.
func (e *Embedder) Texts() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.texts
}

// EmbedDocuments returns the vectors of texts.
func (e *Embedder) EmbedDocuments(ctx context.Context, texts []string) ([][]float32, error) {
	e.mu.Lock()
	e.calls++
	e.texts += len(texts)
	call := e.calls
	e.mu.Unlock()
	if e.Before != nil {
		e.Before(call)
	}
	vectors := make([][]float32, len(texts))
	for i, text := range texts {
		vectors[i] = vector(text)
	}
	return vectors, ctx.Err()
}

// EmbedQuery returns the vector of a text.
func (e *Embedder) EmbedQuery(ctx context.Context, text string) ([]float32, error) {
	return vector(text), ctx.Err()
}

func vector(text string) []float32 {
	v := make([]float32, Dim)
	if text == "(zero)" {
		return v
	}
	v[0] = 1
	for _, word := range strings.Fields(text) {
		h := fnv.New32a()
		_, _ = io.WriteString(h, word) // a hash never fails
		v[1+h.Sum32()%(Dim-1)]++
	}
	return v
}

// Run runs all tests.
func Run(t *testing.T, s Setup) {
	t.Run("upsert, search and delete", s.changes)
	t.Run("empty inputs", s.empty)
	t.Run("metadata comes back", s.roundTrip)
	t.Run("filters", s.filters)
	t.Run("a narrow filter", s.narrow)
	t.Run("hostile strings", s.hostile)
	t.Run("tenants and groups", s.access)
	t.Run("bad documents", s.bad)
	t.Run("a context that ends", s.canceled)
	t.Run("copies", s.copies)
	t.Run("concurrent use", s.concurrent)
	if s.Dying != nil {
		t.Run("a store that dies", s.dies)
	}
}

func doc(id, text string, meta ...any) schema.Document {
	m := map[string]any{}
	if id != "" {
		m["id"] = id
	}
	for i := 0; i+1 < len(meta); i += 2 {
		m[meta[i].(string)] = meta[i+1]
	}
	return schema.Document{PageContent: text, Metadata: m}
}

func idsOf[D any](found []D, document func(D) schema.Document) []string {
	ids := []string{}
	for _, d := range found {
		ids = append(ids, fmt.Sprint(document(d).Metadata["id"]))
	}
	return ids
}

// A Proxy passes connections on to a server until it is killed: then all connections break
// and new ones are refused.
type Proxy struct {
	listener net.Listener
	mu       sync.Mutex
	open     map[net.Conn]bool
	dead     bool
}

// NewProxy starts a proxy before the server at an address.
func NewProxy(t *testing.T, target string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &Proxy{listener: l, open: map[net.Conn]bool{}}
	t.Cleanup(p.Kill)
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", target)
			if err != nil || !p.add(in, out) {
				_ = in.Close()
				continue
			}
			go pipe(in, out)
			go pipe(out, in)
		}
	}()
	return p
}

func (p *Proxy) add(both ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range both {
		if p.dead {
			_ = c.Close()
		}
		p.open[c] = true
	}
	return !p.dead
}

func pipe(to, from net.Conn) {
	_, _ = io.Copy(to, from) // it ends when one of the two is closed
	_ = to.Close()
	_ = from.Close()
}

// Addr returns the address of the proxy.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Kill breaks all connections and refuses new ones.
func (p *Proxy) Kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dead = true
	_ = p.listener.Close()
	for c := range p.open {
		_ = c.Close()
	}
}
