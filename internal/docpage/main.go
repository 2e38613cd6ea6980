// Docpage serves the documentation of every package of this module as pages
// on this machine, the way pkg.go.dev would show them. The first page is the lecture
// index of the module's root comment.
//
//	go run ./internal/docpage [-addr 127.0.0.1:6060] [-dir .]
//
// The packages are read again for each page: edit, reload, read.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/prodailabs/prodai/internal/docpage/page"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "docpage:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("docpage", flag.ContinueOnError)
	addr := flags.String("addr", "127.0.0.1:6060", "address to listen on")
	dir := flags.String("dir", ".", "the module's folder, which has its go.mod")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	if _, err := page.Load(*dir); err != nil {
		return err
	}
	l, err := net.Listen("tcp", *addr)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "reading %s at http://%s/\n", *dir, l.Addr())
	pages := handler(*dir)
	if a, ok := l.Addr().(*net.TCPAddr); ok && a.IP.IsLoopback() {
		pages = localOnly(pages)
	}
	srv := &http.Server{Handler: pages, ReadHeaderTimeout: 5 * time.Second}
	defer context.AfterFunc(ctx, func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = srv.Shutdown(closing) // the process ends either way
	})()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// localOnly refuses requests to host names other than this machine's. Otherwise a
// web page whose name points to 127.0.0.1 (DNS rebinding) could read the answers.
func localOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isLoopback(r.Host) {
			http.Error(w, "this server answers requests to localhost only", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isLoopback reports whether the host of a request names this machine.
func isLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

func handler(dir string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m, err := page.Load(dir)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		var b bytes.Buffer
		if name := strings.Trim(r.URL.Path, "/"); name == "" {
			err = m.Index(&b)
		} else if p, ok := m.Find(name); ok {
			err = m.Render(&b, p)
		} else {
			http.NotFound(w, r)
			return
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(b.Bytes()) // the reader has gone, and the error has no receiver
	})
}
