// Package golden runs table tests over golden vectors: files of JSON lines
// that a reference implementation wrote.
//
// A golden file of area "chunk" is read from $PRODAI_GOLDEN/chunk/ when that
// variable is set, so that another set of the same form runs unchanged with
//
//	PRODAI_GOLDEN=DIR go test ./chunk/... -run Golden
//
// and from the test's own testdata folder otherwise. A file that is missing
// under $PRODAI_GOLDEN skips its subtest by name; one that is missing from
// testdata, and any file that is there and empty, fails.
package golden

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Env names the environment variable that points at another golden set.
const Env = "PRODAI_GOLDEN"

// failuresNamed is how many failing rows a subtest lists.
const failuresNamed = 10

// Rows runs check on every line of a JSON Lines file as one subtest named
// after the file. R is the row's Go type; check returns nil when the row holds
// and an error that says what differed when it doesn't. The subtest logs the
// number of rows that passed and failed and names the first ten failing ones,
// by their "id" (or "name"), else by line number.
//
// A name that ends in .gz is decompressed.
func Rows[R any](t *testing.T, area, file string, check func(row R) error) {
	t.Helper()
	t.Run(strings.TrimSuffix(file, ".gz"), func(t *testing.T) {
		t.Helper()
		rows(t, Read(t, area, file), check)
	})
}

// reporter is what rows needs of a *testing.T.
type reporter interface {
	Helper()
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
}

func rows[R any](t reporter, data []byte, check func(R) error) {
	t.Helper()
	passed, failed, line := 0, 0, 0
	var named []string
	sc := bufio.NewScanner(bytes.NewReader(data))
	sc.Buffer(nil, len(data)+1)
	for sc.Scan() {
		line++
		text := bytes.TrimSpace(sc.Bytes())
		if len(text) == 0 {
			continue
		}
		var row R
		err := json.Unmarshal(text, &row)
		if err == nil {
			err = check(row)
		}
		if err == nil {
			passed++
			continue
		}
		failed++
		if len(named) < failuresNamed {
			named = append(named, fmt.Sprintf("%s: %v", rowID(text, line), err))
		}
	}
	t.Logf("rows: %d passed, %d failed", passed, failed)
	switch {
	case passed+failed == 0:
		t.Errorf("the golden file holds no row")
	case failed > 0:
		t.Errorf("%d of %d rows failed:\n%s", failed, passed+failed, strings.Join(named, "\n"))
	}
}

func rowID(text []byte, line int) string {
	var row struct {
		ID   any `json:"id"`
		Name any `json:"name"`
	}
	_ = json.Unmarshal(text, &row) // a row of another shape is named by its line
	switch {
	case row.ID != nil:
		return fmt.Sprintf("line %d, id %v", line, row.ID)
	case row.Name != nil:
		return fmt.Sprintf("line %d, %v", line, row.Name)
	}
	return fmt.Sprintf("line %d", line)
}

// Read returns the bytes of a golden file. It skips the test if the file is
// missing under $PRODAI_GOLDEN and fails it if the file is missing from
// testdata or is empty. A name that ends in .gz is decompressed.
func Read(t testing.TB, area, file string) []byte {
	t.Helper()
	path := filepath.Join("testdata", file)
	set := os.Getenv(Env)
	if set != "" {
		path = filepath.Join(set, area, file)
	}
	data, err := os.ReadFile(path)
	if set != "" && errors.Is(err, fs.ErrNotExist) {
		t.Skipf("golden file %s/%s is not in this set", area, file)
	}
	if err == nil && strings.HasSuffix(file, ".gz") {
		data, err = gunzip(data)
	}
	if err != nil {
		t.Fatalf("golden file %s/%s: %v", area, file, err)
	}
	if len(bytes.TrimSpace(data)) == 0 {
		t.Fatalf("golden file %s is empty", path)
	}
	return data
}

func gunzip(data []byte) ([]byte, error) {
	zr, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(zr)
}
