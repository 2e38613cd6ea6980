package modeltest

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
)

// A pipeListener accepts in-memory connections. Their ends block on channels alone,
// so a testing/synctest bubble notices when both wait.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
}

// errRefused is the error of a dial of a closed server.
var errRefused = &net.OpError{Op: "dial", Net: "pipe", Err: syscall.ECONNREFUSED}

// Dial returns the client's end of a new connection.
func (l *pipeListener) Dial(ctx context.Context) (net.Conn, error) {
	client, server := net.Pipe()
	reset := new(atomic.Bool)
	select {
	case l.conns <- &pipeConn{Conn: server, reset: reset}:
		return &pipeConn{Conn: client, reset: reset}, nil
	case <-l.done:
		return nil, errRefused
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }

// A pipeConn is one end of a pipe that can be reset, as TCP can: the other end
// then reads ECONNRESET where it would have read the end of the file.
type pipeConn struct {
	net.Conn
	reset *atomic.Bool
}

func (c *pipeConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if errors.Is(err, io.EOF) && c.reset.Load() {
		err = &net.OpError{Op: "read", Net: "pipe", Err: syscall.ECONNRESET}
	}
	return n, err
}

// abort resets a connection.
func abort(c net.Conn) {
	switch c := c.(type) {
	case *pipeConn:
		c.reset.Store(true)
	case *net.TCPConn:
		_ = c.SetLinger(0) // a RST instead of a FIN; if that fails, the close alone is enough
	}
	_ = c.Close()
}
