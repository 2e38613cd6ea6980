package pdf

import (
	"bytes"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/retrieve/load"
)

// fixture reads a file that a real program wrote: manual.pdf Chromium, reportlab.pdf
// ReportLab 4, objstm.pdf the same by qpdf with object streams, encrypted.pdf by qpdf.
func fixture(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name + ".pdf")
	require.NoError(t, err)
	return data
}

func TestLoadOfRealFiles(t *testing.T) {
	d, err := Load(t.Context(), "m.pdf", bytes.NewReader(fixture(t, "manual")), nil)
	require.NoError(t, err)
	require.Equal(t, "Shop manual", d.Title)
	docs := d.Documents()
	require.Len(t, docs, 2)
	require.Equal(t, "Shop manual\nWelcome to the shop. Refunds take 30 days, “quoted” – naïve café.\n\nA second paragraph that is long enough to be wrapped by the browser into several lines\non the page, because the width of a page is limited and this sentence goes on for quite\nsome time.", docs[0].PageContent)
	require.Equal(t, "Gift cards\nGift cards have no refund.\n\nToaster 20 €\nKettle 15 €", docs[1].PageContent)
	require.Equal(t, 2, docs[1].Metadata["page"])
	at := strings.Index(d.Text, "30 days")
	p, ok := d.Place(at, at+7)
	require.True(t, ok)
	require.Equal(t, 1, p.Page)
	require.InDelta(t, 12, p.Box[3]-p.Box[1], 4, "one line, in points")
	require.Greater(t, p.Box[2]-p.Box[0], 25.0)
	require.Less(t, p.Box[2]-p.Box[0], 60.0)

	for _, name := range []string{"reportlab", "objstm"} {
		d, err := Load(t.Context(), "r.pdf", bytes.NewReader(fixture(t, name)), nil)
		require.NoError(t, err)
		require.Equal(t, "Prices “2026”", d.Title)
		require.Equal(t, "Ada", d.Meta["author"])
		require.Equal(t, "Prices\nA toaster costs 20 € in Zürich – the café’s price. Bold and italic words.\n\nSecond page.\nItem Price\nKettle 15", strings.TrimSpace(d.Text))
	}
	_, err = Load(t.Context(), "e.pdf", bytes.NewReader(fixture(t, "encrypted")), nil)
	require.ErrorIs(t, err, load.ErrEncrypted)
}

// make1 returns a file of one page with a content, and more objects from number 10 on.
func make1(content string, more ...string) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj\n2 0 obj <</Type/Pages/Kids[3 0 R]/Count 1>> endobj\n" +
		"3 0 obj <</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources<</Font<</F 10 0 R/G 11 0 R>>/XObject<</X 12 0 R/Y 13 0 R>>>>>> endobj\n")
	fmt.Fprintf(&b, "4 0 obj <</Length %d>> stream\n%s\nendstream endobj\n", len(content), content)
	for i, m := range more {
		fmt.Fprintf(&b, "%d 0 obj %s endobj\n", 10+i, m)
	}
	b.WriteString("trailer <</Root 1 0 R>>\n%%EOF")
	return b.Bytes()
}

func streamOf(dict, data string) string {
	return fmt.Sprintf("<<%s/Length %d>> stream\n%s\nendstream", dict, len(data), data)
}

func textOf(t testing.TB, data []byte) string {
	t.Helper()
	d, err := Load(context.Background(), "f", bytes.NewReader(data), nil)
	require.NoError(t, err)
	return strings.TrimSpace(d.Text)
}

func TestContents(t *testing.T) {
	simple := "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"
	wide := "<</Type/Font/Subtype/Type0/Encoding/Identity-H/DescendantFonts[<</DW 500>>]/ToUnicode 14 0 R>>"
	cmap := streamOf("", "1 begincodespacerange <0000> <ffff> endcodespacerange 2 beginbfrange <0001> <0003> <0041> <0010> <0011> [<00660069> <d83dde00>] endbfrange 1 beginbfchar <00ff> <20ac> endbfchar")
	form := streamOf("/Subtype/Form/Matrix[1 0 0 1 0 -100]", "BT /F 10 Tf 50 50 Td (in a form) Tj ET /X Do")
	for content, want := range map[string]string{
		"BT /F 10 Tf 0 700 Td (Hello) Tj ET":                                              "Hello",
		"BT /F 10 Tf 0 700 Td [(Hel) -20 (lo) -400 (there)] TJ ET":                        "Hello there",
		"BT /F 10 Tf 12 TL 0 700 Td (one) Tj T* (two) Tj (three) ' 0 -40 Td (four) Tj ET": "one\ntwo\nthree\n\nfour",
		"BT /F 10 Tf 0 700 Td (a\\(b\\)\\\\ \\351\\t\\12c) Tj ET":                         "a(b)\\ é c",
		"BT /F 10 Tf 0 700 Td <48 65 6C6c6F> Tj ET":                                       "Hello",
		"BT /G 10 Tf 0 700 Td <000100020003001000ff0011> Tj ET":                           "ABCfi€😀",
		"BT /G 10 Tf 0 700 Td <0099> Tj ET":                                               "\ufffd",
		"/X Do":                                                                           "in a form", // which draws itself again
		"q 1 0 0 1 5 5 cm BT /F 1 Tf 10 0 0 10 0 700 Tm (x) Tj ET Q BI /W 1 ID \xff(garbage Tj\xee EI BT /F 10 Tf 50 705 Td (y) Tj ET": "x y",
		"BT /F 10 Tf 0 1 -1 0 50 50 Tm (up) Tj 12 0 Td (ward) Tj ET":                                                                   "up ward", // a turned page
		"BT /F 10 Tf 0 700 Td (a) Tj 5.56 4 Td /F 6 Tf (2) Tj ET":                                                                      "a2",      // raised
		"(no font, no BT) Tj":            "no font, no BT",
		"BT /F 10 Tf 0 700 Td (unclosed": "",
		"BT <41":                         "", // runs forever in ledongthuc/pdf
		"<< /A [ ( /B 5 Tj":              "",
		"Tj Td TJ Tf Do Q Q cm 1 Tj /x Tj [/y] TJ \" ' TD": "",
		"": "",
	} {
		data := make1(content, simple, wide, form, simple, cmap)
		require.Equal(t, want, textOf(t, data), content)
	}
}

func TestDifferencesAndGlyphNames(t *testing.T) {
	font := "<</Type/Font/Subtype/Type1/Encoding<</BaseEncoding/WinAnsiEncoding/Differences[1/A/fi/eacute/uni20AC/u1F600/Euro/Zcaron/g23 65/B]>>>>"
	require.Equal(t, "Afié€😀€ŽB", textOf(t, make1("BT /F 10 Tf <0102030405060708>Tj (A) Tj ET", font)))
}

func TestFilters(t *testing.T) {
	f := &file{ctx: t.Context(), budget: 1 << 20, limits: load.Options{MaxUnpacked: 1 << 20}}
	var z bytes.Buffer
	w := zlib.NewWriter(&z)
	_, err := w.Write([]byte("hello hello"))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	for _, x := range []struct {
		filter any
		params any
		data   string
		want   string
	}{
		{nil, nil, "raw", "raw"},
		{name("FlateDecode"), nil, z.String(), "hello hello"},
		{name("FlateDecode"), nil, z.String()[:10], ""}, // damaged: what is there
		{name("ASCIIHexDecode"), nil, "68 65 6c6C 6f>", "hello"},
		{name("ASCII85Decode"), nil, "BOu!rDZ~>", "hello"},
		{name("RunLengthDecode"), nil, "\x04hello\xfex\x80zzz", "helloxxx"},
		{name("LZWDecode"), nil, "\x80\x0b\x60\x50\x22\x0c\x0c\x85\x01", "-----A---B"}, // the example of the specification
		{array{name("AHx"), name("Fl")}, nil, fmt.Sprintf("%x>", z.String()), "hello hello"},
	} {
		s := &stream{dict{"Filter": x.filter, "DecodeParms": x.params}, []byte(x.data)}
		got, err := f.decode(s)
		require.NoError(t, err)
		if x.want == "" {
			require.True(t, strings.HasPrefix("hello hello", string(got)))
			continue
		}
		require.Equal(t, x.want, string(got))
	}
	_, err = f.decode(&stream{dict{"Filter": name("DCTDecode")}, nil})
	require.ErrorIs(t, err, errFilter)
	for filter, want := range map[byte]string{0: "\x01\x02\x03", 1: "\x01\x03\x06", 2: "\x02\x04\x06", 3: "\x01\x03\x06", 4: "\x02\x04\x07"} {
		got, err := f.predict([]byte("\x00\x01\x02\x03"+string(filter)+"\x01\x02\x03"), dict{"Predictor": 15.0, "Columns": 3.0})
		require.NoError(t, err)
		require.Equal(t, want, string(got[3:]), filter)
	}
}

func TestDamagedFilesAreStillRead(t *testing.T) {
	good := string(make1("BT /F 10 Tf (kept) Tj ET"))
	for what, data := range map[string]string{
		"no trailer":     good[:strings.Index(good, "trailer")],
		"wrong length":   strings.Replace(good, "/Length 24", "/Length 9999", 1),
		"no length":      strings.Replace(good, "/Length 24", "", 1),
		"no endobj":      strings.ReplaceAll(good, "endobj", ""),
		"garbage before": "garbage\n" + good,
		"updated":        strings.Replace(good, "kept", "old!", 1) + "\n4 0 obj <</Length 24>> stream\nBT /F 10 Tf (kept) Tj ET\nendstream endobj\ntrailer <</Root 1 0 R>>",
	} {
		require.Equal(t, "kept", textOf(t, []byte(data)), what)
	}
	for _, data := range []string{"", "%PDF-1.4", "%PDF-1.4\n1 0 obj null endobj", "PK\x03\x04", "%PDF-1.4 trailer <</Root 7 0 R>>"} {
		_, err := Load(t.Context(), "f", strings.NewReader(data), nil)
		require.ErrorIs(t, err, load.ErrFormat, data)
	}
	_, err := Load(t.Context(), "f", strings.NewReader(strings.Replace(good, "trailer <<", "trailer <</Encrypt 9 0 R", 1)), nil)
	require.ErrorIs(t, err, load.ErrEncrypted)
}

// deflated returns a stream that unpacks to n times a text.
func deflated(t testing.TB, text string, n int) string {
	t.Helper()
	var z bytes.Buffer
	w := zlib.NewWriter(&z)
	for range n {
		_, err := w.Write([]byte(text))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return z.String()
}

func TestHostileFiles(t *testing.T) {
	font := "<</Type/Font/Subtype/Type1>>"
	for what, x := range map[string]struct {
		data  []byte
		limit string // "" if it is read
	}{
		"bomb":           {bytes.Replace(make1("x"), []byte("<</Length 1>> stream\nx"), []byte("<</Filter/FlateDecode>> stream\n"+deflated(t, strings.Repeat(" ", 1<<20), 4)), 1), "unpacked data"},
		"bomb in bomb":   {bytes.Replace(make1("x"), []byte("<</Length 1>> stream\nx"), []byte("<</Filter[/FlateDecode/FlateDecode]>> stream\n"+deflated(t, deflated(t, strings.Repeat(" ", 1<<20), 4), 1)), 1), "unpacked data"},
		"many filters":   {bytes.Replace(make1("x"), []byte("<<"), []byte("<<"), 1), ""},
		"nested arrays":  {append(make1("x"), []byte(" 9 0 obj "+strings.Repeat("[", 100_000))...), "depth"},
		"nested dicts":   {append(make1("x"), []byte(" 9 0 obj "+strings.Repeat("<</a", 100_000))...), "depth"},
		"many objects":   {append(make1("x"), []byte(" 9 0 obj ["+strings.Repeat("1 ", 160_000))...), "objects"},
		"page ring":      {bytes.Replace(make1("x"), []byte("Kids[3 0 R]"), []byte("Kids[2 0 R 3 0 R 2 0 R]"), 1), ""},
		"reference ring": {append(make1("x"), []byte(" 1 0 obj 9 0 R endobj 9 0 obj 1 0 R endobj 8 0 obj <</Type/Catalog>> endobj")...), ""},
		"form ring":      {make1("/X Do", font, font, streamOf("/Subtype/Form", "/X Do /X Do")), ""},
		"form bomb": {make1("/X Do", font, font,
			streamOf("/Subtype/Form/Resources<</XObject<</Y 13 0 R>>>>", strings.Repeat("/Y Do ", 1000)),
			streamOf("/Subtype/Form/Resources<</XObject<</Y 14 0 R>>>>", strings.Repeat("/Y Do ", 1000)),
			streamOf("/Subtype/Form/Resources<</XObject<</Y 15 0 R>>>>", strings.Repeat("/Y Do ", 1000)),
			streamOf("/Subtype/Form", strings.Repeat("q Q ", 1000))), "operators"},
		"wide map": {make1("BT /F 9 Tf <00>Tj", "<</Subtype/Type0/DescendantFonts[<</W[0 999999999 5]>>]/ToUnicode 11 0 R>>", streamOf("", "999999999 beginbfrange <00000000> <ffffffff> <0041> endbfrange")), ""},
		"same ranges": {make1("BT /F 9 Tf <00>Tj", "<</Subtype/Type0/DescendantFonts[<</W["+strings.Repeat("0 65535 5 ", 10_000)+"]>>]/ToUnicode 11 0 R>>",
			streamOf("", "1 beginbfrange "+strings.Repeat("<0000> <ffff> <0041> ", 10_000)+"endbfrange")), ""},
		"huge numbers":  {make1("BT /F 1e9 Tf 99999999999999999999999999999999999999999999999999 0 0 1 0 0 Tm (x) Tj (y) Tj 9999999999 Tz (z) Tj", font), ""},
		"big predictor": {bytes.Replace(make1("x"), []byte("<</Length 1>> stream\nx"), []byte("<</Filter/FlateDecode/DecodeParms<</Predictor 12/Columns 999999999/Colors 32>>>> stream\n"+deflated(t, "abc", 1)), 1), ""},
		"object stream": {append(make1("x"), []byte(" 9 0 obj "+streamOf("/Type/ObjStm/N 999999999/First 5", "1 0 1 <41")+" endobj")...), ""},
		"endless text":  {make1("BT /F 9 Tf "+strings.Repeat("(xxxxxxxxxxxxxxxxxxxxxxxx) Tj ", 10_000), font), "text"},
		"no end":        {append(make1("x"), []byte(strings.Repeat(" 9 0 obj <</Length 5>> stream ", 20_000))...), ""},
		"many marks":    {append(make1("x"), []byte(strings.Repeat("obj trailer ", 50_000))...), ""},
		"comments":      {append(make1("x"), []byte(strings.Repeat("1 0 obj 1 %", 30_000))...), ""},
	} {
		began := time.Now()
		limits, err := (&load.Options{MaxUnpacked: 2 << 20, MaxText: 1 << 15}).WithDefaults()
		require.NoError(t, err)
		err = read(t.Context(), x.data, limits, load.NewBuilder("f", limits), work{objects: 150_000, operators: 300_000})
		var limit *load.LimitError
		if x.limit == "" {
			if err != nil {
				require.ErrorIs(t, err, load.ErrFormat, what)
			}
		} else {
			require.ErrorAs(t, err, &limit, what)
			require.Equal(t, x.limit, limit.What, what)
		}
		t.Logf("%s: %v", what, time.Since(began))
	}
}

func TestTheEndOfTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Load(ctx, "f", bytes.NewReader(fixture(t, "manual")), nil)
	require.ErrorIs(t, err, context.Canceled)
	slow := make1("/X Do", "null", "null", streamOf("/Subtype/Form/Resources<</XObject<</X 13 0 R>>>>", strings.Repeat("/X Do ", 1000)), streamOf("/Subtype/Form", strings.Repeat("q Q ", 4000)))
	for polls := range 2 { // at the start, and in the middle
		_, err = Load(&overdue{t.Context(), 100 * polls}, "f", bytes.NewReader(slow), nil)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}
}

// overdue is a context whose deadline passes after it was asked for so often.
type overdue struct {
	context.Context
	left int
}

func (o *overdue) Err() error {
	if o.left--; o.left < 0 {
		return context.DeadlineExceeded
	}
	return nil
}

func check(t *testing.T, data []byte) {
	t.Helper()
	d, err := Load(t.Context(), "f", bytes.NewReader(data), &load.Options{MaxUnpacked: 1 << 20, MaxText: 1 << 18, MaxDepth: 50})
	var limit *load.LimitError
	if err != nil {
		if !errors.Is(err, load.ErrFormat) && !errors.Is(err, load.ErrEncrypted) && !errors.As(err, &limit) {
			t.Fatal(err)
		}
		return
	}
	for _, s := range d.Sections {
		if p, ok := d.Place(s.Start, s.End); ok && (p.Page < 1 || p.Box[0] > p.Box[2] || p.Box[1] > p.Box[3]) {
			t.Fatalf("%+v", p)
		}
	}
}

func FuzzContent(f *testing.F) {
	f.Add([]byte("BT /F 10 Tf 0 700 Td [(Hel) -20 (lo)] TJ T* <41 ET /X Do q Q 1 0 0 1 5 5 cm"), []byte("1 begincodespacerange <00> <ff> endcodespacerange 1 beginbfrange <41> <43> <0041> endbfrange"))
	f.Fuzz(func(t *testing.T, content, cmap []byte) {
		check(t, make1(string(content), "<</Subtype/Type0/DescendantFonts[<</W[1[500]2 9 400]>>]/ToUnicode 14 0 R>>", "<</Encoding<</Differences[65/a]>>>>", streamOf("/Subtype/Form", string(content)), "null", streamOf("", string(cmap))))
	})
}

func FuzzLoad(f *testing.F) {
	f.Add(make1("BT /F 10 Tf (x) Tj ET", "<</Encoding/MacRomanEncoding/Widths[1 2 3]/FirstChar 65>>"))
	f.Add(fixture(f, "objstm"))
	f.Fuzz(func(t *testing.T, data []byte) { check(t, data) })
}
