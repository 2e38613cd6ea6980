package judge

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// A Cache keeps what a judge said by the content it was asked about. Only scored
// replies are put into it: a cached failure would be a failure forever. An error of
// a cache is an error of the judgment. It must be safe for concurrent use.
type Cache interface {
	Get(ctx context.Context, key string) (value []byte, ok bool, err error)
	Put(ctx context.Context, key string, value []byte) error
}

// hit is the key of a question that the cache answered.
const hit = "hit"

// contentKey is a hash of the judge's version and of everything in the prompt but
// the random mark. The parts' lengths are in it, so that two parts can't be shifted
// against each other.
func contentKey(v Version, p *prompt) string {
	h := sha256.New()
	write := func(s string) { fmt.Fprintf(h, "%d:%s", len(s), s) }
	write(v.String())
	write(p.system)
	write(p.ending)
	for _, q := range p.parts {
		write(q.Title)
		write(q.Text)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// cached looks a question up and lets parse read the kept object. It returns hit, or
// the key under which a reply is kept, "" for none.
func (o *Options) cached(ctx context.Context, p prompt, parse func(map[string]jsonValue) error) (string, error) {
	if o.Cache == nil || o.Temperature > 0 {
		return "", nil
	}
	key := contentKey(o.version, &p)
	data, ok, err := o.Cache.Get(ctx, key)
	if err != nil {
		return "", fmt.Errorf("judge: read the cache: %w", err)
	}
	var object map[string]jsonValue
	if ok && json.Unmarshal(data, &object) == nil && object != nil && parse(object) == nil {
		return hit, nil
	}
	return key, nil
}

func (o *Options) keep(ctx context.Context, key string, object map[string]jsonValue) error {
	if key == "" {
		return nil
	}
	data, err := json.Marshal(object)
	if err == nil {
		err = o.Cache.Put(ctx, key, data)
	}
	if err != nil {
		return fmt.Errorf("judge: write the cache: %w", err)
	}
	return nil
}

// A FileCache is a [Cache] in a file that grows by a line for each reply, so a run
// that is started again asks only what it didn't ask before. One process at a time
// may use the file.
type FileCache struct {
	mu     sync.Mutex
	file   *os.File
	values map[string][]byte
}

type cacheLine struct {
	Key   string `json:"key"`
	Value []byte `json:"value"`
}

// OpenFileCache opens or creates the file. A last line that a crash cut is removed;
// any other line that can't be read is an error, since the file is then of another
// kind.
func OpenFileCache(path string) (*FileCache, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("judge: open the cache: %w", err)
	}
	c := &FileCache{file: file, values: map[string][]byte{}}
	end, err := c.load()
	if err == nil {
		err = file.Truncate(end)
	}
	if err == nil {
		_, err = file.Seek(end, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("judge: read the cache %s: %w", path, err), file.Close())
	}
	return c, nil
}

func (c *FileCache) load() (end int64, err error) {
	r := bufio.NewReader(c.file)
	for n := 1; ; n++ {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			const begin = `{"key":`
			if k := min(len(line), len(begin)); string(line[:k]) != begin[:k] {
				return 0, fmt.Errorf("line %d is not a line of a judge's cache", n)
			}
			return end, nil // a crash cut it
		}
		if err != nil {
			return 0, err
		}
		var l cacheLine
		if err := json.Unmarshal(bytes.TrimSpace(line), &l); err != nil || l.Key == "" {
			return 0, fmt.Errorf("line %d is not a line of a judge's cache", n)
		}
		c.values[l.Key] = l.Value
		end += int64(len(line))
	}
}

// Get implements [Cache].
func (c *FileCache) Get(_ context.Context, key string) ([]byte, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	value, ok := c.values[key]
	return bytes.Clone(value), ok, nil
}

// Put implements [Cache].
func (c *FileCache) Put(_ context.Context, key string, value []byte) error {
	line, err := json.Marshal(cacheLine{key, value})
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := c.file.Write(append(line, '\n')); err != nil {
		return err
	}
	c.values[key] = bytes.Clone(value)
	return nil
}

// Close closes the file.
func (c *FileCache) Close() error { return c.file.Close() }
