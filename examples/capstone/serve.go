package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"golang.org/x/net/netutil"

	"github.com/prodailabs/prodai/examples/capstone/internal/gateway"
	"github.com/prodailabs/prodai/examples/capstone/internal/service"
	"github.com/prodailabs/prodai/guard/secret"
)

// maxConnections bounds the connections at once: each holds memory, also one that
// never sends a request.
const maxConnections = 1024

// serve answers over HTTP until ctx is done, then finishes what is in progress.
func serve(ctx context.Context, s *settings, rest []string, out io.Writer) error {
	if len(rest) > 0 {
		return fmt.Errorf("serve takes no arguments, got %q", rest)
	}
	var keys []string
	for key := range strings.SplitSeq(os.Getenv("CAPSTONE_API_KEYS"), ",") {
		if key = strings.TrimSpace(key); key != "" {
			keys = append(keys, key)
		}
	}
	listener, err := net.Listen("tcp", s.address)
	if err != nil {
		return err
	}
	if a, ok := listener.Addr().(*net.TCPAddr); len(keys) == 0 && ok && !a.IP.IsLoopback() {
		return errors.Join(fmt.Errorf("%s can be reached by others: set CAPSTONE_API_KEYS to the keys that may use it, or listen on 127.0.0.1", a), listener.Close())
	}
	fmt.Fprintln(out, "reading the documents …")
	began := time.Now()
	svc, closing, err := s.open(ctx)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	a, isTCP := listener.Addr().(*net.TCPAddr)
	log, err := s.logger()
	if err != nil {
		return errors.Join(err, closing(), listener.Close())
	}
	g := gateway.New(svc, gateway.Options{Keys: keys, Loopback: isTCP && a.IP.IsLoopback(), Tracer: svc.Tracer(), Log: log})
	requests, cancelRequests := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancelRequests(nil)
	server := &http.Server{Handler: g, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		BaseContext: func(net.Listener) context.Context { return requests }}
	fmt.Fprintf(out, "%d passages of %d documents in %.1f s, answered by %s\n", svc.Passages(), len(svc.Sources()), time.Since(began).Seconds(), svc.Backend())
	if svc.Small() {
		fmt.Fprint(out, service.SmallModel)
	}
	fmt.Fprintf(out, "a page to ask at:   http://%s/\nthe OpenAI protocol: http://%s/v1  (model \"course\")\nstop with Ctrl-C\n", listener.Addr(), listener.Addr())

	failed := make(chan error, 1)
	go func() { failed <- server.Serve(netutil.LimitListener(listener, maxConnections)) }()
	select {
	case err := <-failed:
		return errors.Join(err, closing())
	case <-ctx.Done():
	}
	s.release() // a second signal ends the program at once
	g.Stop()
	if s.delay > 0 {
		fmt.Fprintf(out, "not ready any more; stopping in %v …\n", s.delay)
		select {
		case <-time.After(s.delay): // a load balancer sees /readyz fail before connections do
		case err := <-failed:
			return errors.Join(err, closing())
		}
	}
	fmt.Fprintln(out, "finishing the answers in progress …")
	return errors.Join(drain(server, s.grace, cancelRequests), closing())
}

// lastMoment is how long the canceled answers may take to end. net/http waits five
// seconds for the first request of a connection.
const lastMoment = 7 * time.Second

// drain waits for the requests in progress, up to the grace period. Then they
// are canceled, so that each stream still ends with an error event, and a moment
// later their connections are closed.
func drain(server *http.Server, grace time.Duration, cancelRequests context.CancelCauseFunc) error {
	finishing, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	err := server.Shutdown(finishing)
	if err == nil {
		return nil
	}
	cancelRequests(gateway.ErrStopping)
	last, cancelLast := context.WithTimeout(context.Background(), lastMoment)
	defer cancelLast()
	if server.Shutdown(last) == nil {
		return fmt.Errorf("answers in progress were cut: %w", err)
	}
	return errors.Join(err, server.Close())
}

// logger returns the log of the requests: all of them with -v, else those that
// failed. What looks like a secret is redacted.
func (s *settings) logger() (*slog.Logger, error) {
	level := slog.LevelWarn
	if s.verbose {
		level = slog.LevelInfo
	}
	h, err := secret.NewLogHandler(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: level}), nil)
	if err != nil {
		return nil, err
	}
	return slog.New(h), nil
}
