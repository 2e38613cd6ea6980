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

	"github.com/prodailabs/prodai/examples/capstone/internal/gateway"
)

// drain is how long answers under way may take after the signal to stop.
const drain = 30 * time.Second

// serve answers over HTTP until ctx is done, then finishes what is under way.
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
	o := gateway.Options{Keys: keys}
	if s.verbose {
		o.Log = slog.New(slog.NewTextHandler(s.log, nil))
	}
	g := gateway.New(svc, o)
	server := &http.Server{Handler: g, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10}
	fmt.Fprintf(out, "%d passages of %d documents in %.1f s, answered by %s\n", svc.Passages(), len(svc.Sources()), time.Since(began).Seconds(), svc.Backend())
	fmt.Fprintf(out, "a page to ask at:   http://%s/\nthe OpenAI protocol: http://%s/v1  (model \"course\")\nstop with Ctrl-C\n", listener.Addr(), listener.Addr())

	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return errors.Join(err, closing())
	case <-ctx.Done():
	}
	fmt.Fprintln(out, "finishing the answers under way …")
	g.Stop()
	finishing, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	err = server.Shutdown(finishing)
	if err != nil {
		err = errors.Join(err, server.Close())
	}
	return errors.Join(err, closing())
}
