package sentence

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Sentences are separated by "|".
func TestFullStopsInside(t *testing.T) {
	for _, marked := range []string{
		// Abbreviations.
		"He joined the U.S. Army in 1942.| It was cold.", "They moved to the U.S. |They liked it.", "The U.K. Parliament and the E.U. Council met.", "She has a Ph.D. |In Oslo she taught.",
		"See p. 5. |Then go on.", "See pp. 5-7 and S. 12. |More.", "See Vol. 3, No. 7. |He said no. |Then he left.", "Cf. Fig. 2 and Sec. IV. |Done.", "Modern art. |Next.",
		"Das gilt z. B. Montags. |Danach nicht.", "Das gilt z.\u00a0B. Montags. |Danach nicht.", "Siehe S.\u00a05. |Danach nicht.", "Es gilt d. h. Ordnung, z.B. Ruhe. |Gut.", "Am 3. Oktober war es so weit. |Im 19. Jahrhundert nicht.",
		"J. R. R. Tolkien and M. Dupont met. |They ate.", "We follow plan B. |The rest is known.", "Acme Inc. Shares rose. |The firm Acme Inc. |It fell.", "Martin Luther King Jr. Day is on Monday.",
		"At 5 p.m. Monday it closed. |At 9 a.m. |The doors open.", "On Jan. 3 we met. |It was Sept. |The leaves fell.", "Fr. Dr. med. Meyer wohnt Hauptstr. 5. |Dort ist es ruhig.", "He joined the U.S.\nArmy. |It was 5\np.m. |They left.", "Smith et al. Showed it, op. cit. Page 3, p. ex. Paris.", "Dr. No is a film. |Mr. X agrees (e.g. Mrs. Y). |Yes.",
		"Wait... |Then go.", "Is it? |Yes! |No.",
		// Numbers of items.
		"1. First do this. |2. Then do that.", "1. First", "2.3. Scope of the text. |More.", "IV. Results are here.", "Steps: 1. First open it. |2. Then close it.", "b. Second item.", "(1. First) it is.",
		"It was in 2024. |Then it ended.", "It costs 5. |The other costs 6.",
		// Names and addresses.
		"Call utf8.RuneStart before. |Then os.ReadFile.", "See https://example.com/a?b=c&d. |Next.", "Use a.B, x1.Y2 and v1.Beta. |Done.", "Node.js and ASP.NET are here. |Yes.", "Set config.Max!=0. |Go.",
		// After a byte order mark.
		"\ufeff1. First item.", "\ufeff# A heading\n|and text.", "\ufeff\n\n# A heading\n|- item",
		// Without spaces between sentences.
		"返金は三十日以内です。|次の文。", "好吗?|是的。",
	} {
		var want, got []string
		for part := range strings.SplitSeq(marked, "|") {
			want = append(want, strings.TrimSpace(part))
		}
		text := strings.ReplaceAll(marked, "|", "")
		for _, s := range Split(text) {
			got = append(got, text[s.Start:s.End])
		}
		require.Equal(t, want, got)
	}
}
