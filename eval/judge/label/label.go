package label

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/prodailabs/prodai/eval/stats"
)

// Errors that callers branch on. They come wrapped with what was wrong.
var (
	ErrOption = errors.New("label: invalid option")
	ErrFormat = errors.New("label: malformed file of labels")
)

// An Item is what people label. It has no name of a system and no score of a judge,
// so the labels are blind.
type Item struct {
	ID        string
	Question  string
	Answer    string
	Reference string   // a good answer, empty for none
	Context   []string // passages that the answer may rest on
}

// Options are the settings of [New]; nil means the defaults.
type Options struct {
	// Title of the page. Default: "Labels".
	Title string
	// Task is what people are asked, in a sentence or two. Default: "Is the answer
	// right?".
	Task string
	// Labels are the choices, from the worst to the best, at most nine: each has a key.
	// Default: "wrong", "right".
	Labels []string
	// Path is a file that each label is appended to. Default: none, labels are lost at
	// the end of the process.
	Path string
	// Seed makes the orders of items. Each person has another order, so that tiredness
	// doesn't meet the same items. Default: 0.
	Seed uint64
	// Now is the clock of the file's times. Default: [time.Now].
	Now func() time.Time
	// Hosts are the names under which the page is served, without a port. A request for
	// another name is refused, since it may come from a page of another site. Default:
	// localhost, 127.0.0.1 and ::1.
	Hosts []string
}

// A Label is what one person said about one item.
type Label struct {
	Person string    `json:"person"`
	Item   string    `json:"item"`
	Label  string    `json:"label"`
	At     time.Time `json:"at"`
}

// A Page lets two people label the same items, each without a sight of the other's
// labels, and then shows how well they agree. It is an [http.Handler] that is safe for
// concurrent use. It has no passwords: serve it where both people are trusted, such as
// on localhost.
type Page struct {
	items []Item
	o     Options
	file  *os.File
	h     http.Handler

	mu     sync.Mutex
	people []string
	labels map[string]map[string]string // person -> item -> label
}

// New returns a page for these items. Labels of the file at Options.Path are there
// again.
func New(items []Item, o *Options) (*Page, error) {
	p := &Page{items: slices.Clone(items), labels: map[string]map[string]string{}}
	if o != nil {
		p.o = *o
	}
	if p.o.Title == "" {
		p.o.Title = "Labels"
	}
	if p.o.Task == "" {
		p.o.Task = "Is the answer right?"
	}
	if p.o.Labels == nil {
		p.o.Labels = []string{"wrong", "right"}
	}
	p.o.Labels = slices.Clone(p.o.Labels)
	if p.o.Now == nil {
		p.o.Now = time.Now
	}
	if n := len(p.o.Labels); n < 2 || n > 9 {
		return nil, fmt.Errorf("%w: %d labels: want 2 to 9", ErrOption, n)
	}
	for i, l := range p.o.Labels {
		if strings.TrimSpace(l) == "" || slices.Index(p.o.Labels, l) != i {
			return nil, fmt.Errorf("%w: label %d is %q: want a word of its own", ErrOption, i, l)
		}
	}
	seen := map[string]bool{}
	for i, item := range items {
		if item.ID == "" || seen[item.ID] || !utf8.ValidString(item.ID) {
			return nil, fmt.Errorf("%w: item %d has the id %q: want one of its own", ErrOption, i, item.ID)
		}
		seen[item.ID] = true
	}
	if len(items) == 0 {
		return nil, fmt.Errorf("%w: no items", ErrOption)
	}
	p.h = p.routes()
	if p.o.Path == "" {
		return p, nil
	}
	if err := p.open(); err != nil {
		return nil, err
	}
	return p, nil
}

// open reads the file of labels. A last line that a crash cut is removed.
func (p *Page) open() error {
	f, err := os.OpenFile(p.o.Path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("label: %w", err)
	}
	end, err := p.read(f)
	if err == nil {
		err = f.Truncate(end)
	}
	if err == nil {
		_, err = f.Seek(end, io.SeekStart)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("label: %s: %w", p.o.Path, err), f.Close())
	}
	p.file = f
	return nil
}

func (p *Page) read(r io.Reader) (end int64, err error) {
	b := bufio.NewReader(r)
	for n := 1; ; n++ {
		line, err := b.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			const begin = `{"person":`
			if k := min(len(line), len(begin)); string(line[:k]) != begin[:k] {
				return 0, fmt.Errorf("%w: line %d", ErrFormat, n)
			}
			return end, nil
		}
		if err != nil {
			return 0, err
		}
		var l Label
		if err := json.Unmarshal(bytes.TrimSpace(line), &l); err != nil || l.Person == "" {
			return 0, fmt.Errorf("%w: line %d is not a label", ErrFormat, n)
		}
		if err := p.join(l.Person); err != nil {
			return 0, fmt.Errorf("%w: line %d: %w", ErrFormat, n, err)
		}
		if slices.Contains(p.o.Labels, l.Label) {
			p.labels[l.Person][l.Item] = l.Label
		}
		end += int64(len(line))
	}
}

// Close closes the file.
func (p *Page) Close() error {
	if p.file == nil {
		return nil
	}
	return p.file.Close()
}

// join makes a person one of the two.
func (p *Page) join(person string) error {
	if slices.Contains(p.people, person) {
		return nil
	}
	if person == "" || len(person) > 60 || !utf8.ValidString(person) || strings.ContainsAny(person, "\r\n\x00") {
		return fmt.Errorf("%w: the name is empty, too long or has control characters", ErrOption)
	}
	if len(p.people) == 2 {
		return fmt.Errorf("%w: two people label these items already: %s and %s", ErrOption, p.people[0], p.people[1])
	}
	p.people = append(p.people, person)
	p.labels[person] = map[string]string{}
	return nil
}

func (p *Page) set(person, item, label string) error {
	if err := p.join(person); err != nil {
		return err
	}
	if !slices.Contains(p.o.Labels, label) || !slices.ContainsFunc(p.items, func(i Item) bool { return i.ID == item }) {
		return fmt.Errorf("%w: there is no such item or label", ErrOption)
	}
	if p.file != nil {
		line, err := json.Marshal(Label{person, item, label, p.o.Now().UTC()})
		if err == nil {
			_, err = p.file.Write(append(line, '\n'))
		}
		if err != nil {
			return fmt.Errorf("label: %w", err)
		}
	}
	p.labels[person][item] = label
	return nil
}

// order returns the items in a person's order.
func (p *Page) order(person string) []Item {
	out := slices.Clone(p.items)
	var name uint64 = 14695981039346656037
	for _, b := range []byte(person) {
		name = (name ^ uint64(b)) * 1099511628211
	}
	r := rand.New(rand.NewPCG(p.o.Seed, name))
	r.Shuffle(len(out), func(i, k int) { out[i], out[k] = out[k], out[i] })
	return out
}

// Labels returns all labels, in the order of items and people. Values are from 0 for
// the first of Options.Labels to 1 for the last, -1 for none.
func (p *Page) Labels() (people []string, values [][]float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, item := range p.items {
		row := make([]float64, len(p.people))
		for k, person := range p.people {
			row[k] = -1
			if at := slices.Index(p.o.Labels, p.labels[person][item.ID]); at >= 0 {
				row[k] = float64(at) / float64(len(p.o.Labels)-1)
			}
		}
		values = append(values, row)
	}
	return slices.Clone(p.people), values
}

// An Agreement is how well two people agree over the items that both labeled.
type Agreement struct {
	People [2]string
	Items  int
	Share  float64 // of items with equal labels
	// Kappa is Cohen's kappa, weighted linearly if there are more than two labels, with
	// its 95 % interval. KappaUndefined means that both gave one label to all items.
	Kappa          float64
	Interval       stats.Interval
	KappaUndefined bool
	Differ         []Difference
}

// A Difference is an item with two labels.
type Difference struct {
	Item   Item
	Labels [2]string
}

// Agreement returns the agreement, or false until both people have labeled every item.
func (p *Page) Agreement() (Agreement, bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.agreement()
}

func (p *Page) agreement() (Agreement, bool, error) {
	var a Agreement
	if len(p.people) < 2 {
		return a, false, nil
	}
	a.People = [2]string{p.people[0], p.people[1]}
	var ratings [2][]int
	for _, item := range p.items {
		var labels [2]string
		for k, person := range a.People {
			labels[k] = p.labels[person][item.ID]
			at := slices.Index(p.o.Labels, labels[k])
			if at < 0 {
				return a, false, nil
			}
			ratings[k] = append(ratings[k], at)
		}
		if labels[0] != labels[1] {
			a.Differ = append(a.Differ, Difference{item, labels})
		}
	}
	a.Items = len(p.items)
	a.Share = 1 - float64(len(a.Differ))/float64(a.Items)
	w := stats.WeightingNone
	if len(p.o.Labels) > 2 {
		w = stats.WeightingLinear
	}
	k, err := stats.CohenKappa(ratings[0], ratings[1], len(p.o.Labels), w)
	if errors.Is(err, stats.ErrUndefined) {
		a.KappaUndefined = true
		return a, true, nil
	}
	if err != nil {
		return a, true, fmt.Errorf("label: %w", err)
	}
	a.Kappa = k.Value
	a.Interval, err = k.Interval(0.95)
	a.Interval.High = min(1, a.Interval.High)
	return a, true, err
}
