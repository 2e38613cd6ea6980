// Package redistest starts Redis servers for tests.
package redistest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// patience bounds what only a server that hangs exceeds.
const patience = time.Minute

// A Server is a redis-server of one test. It listens on a socket in a folder of its own:
// a port that was free a moment ago can be taken by a test of another package.
type Server struct {
	t      *testing.T
	socket string
	args   []string
	cmd    *exec.Cmd
}

// Start starts a server that ends with the test. Its files are in a folder that is
// removed. It skips the test if no redis-server is in PATH.
func Start(t *testing.T, args ...string) *Server {
	t.Helper()
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("no redis-server in PATH")
	}
	dir, err := os.MkdirTemp("", "redis") // a test's own folder can be too long for a socket's name
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t, socket: filepath.Join(dir, "redis.sock")}
	s.args = append([]string{binary, "--port", "0", "--unixsocket", s.socket, "--save", "", "--dir", dir}, args...)
	s.start()
	t.Cleanup(func() {
		s.stop()
		_ = os.RemoveAll(dir)
	})
	return s
}

// Options are those of a client that makes each request once and waits for the answer of
// a busy machine.
func (s *Server) Options() *redis.Options {
	return &redis.Options{Network: "unix", Addr: s.socket, MaxRetries: -1, DialTimeout: patience, ReadTimeout: patience, WriteTimeout: patience, PoolTimeout: patience}
}

// Client returns a client with [Server.Options] that is closed with the test.
func (s *Server) Client() *redis.Client {
	c := redis.NewClient(s.Options())
	s.t.Cleanup(func() { _ = c.Close() })
	return c
}

// Restart kills the server, and starts it again on the same files.
func (s *Server) Restart() {
	s.t.Helper()
	s.stop()
	s.start()
}

func (s *Server) stop() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait() // it was killed
}

// start returns when the server answers.
func (s *Server) start() {
	s.t.Helper()
	var out bytes.Buffer
	s.cmd = exec.Command(s.args[0], s.args[1:]...)
	s.cmd.Stdout, s.cmd.Stderr = &out, &out
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	c := redis.NewClient(s.Options())
	defer func() { _ = c.Close() }()
	for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		err := c.Ping(s.t.Context()).Err()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			s.stop()
			s.t.Fatalf("Redis does not answer: %v\n%s", err, out.String())
		}
	}
}
