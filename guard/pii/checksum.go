package pii

import "strings"

// num reads s[from:to], which contains digits only, as a decimal number.
func num(s string, from, to int) int {
	v := 0
	for _, b := range []byte(s[from:to]) {
		v = v*10 + int(b-'0')
	}
	return v
}

// weighted is the sum of the digits of s times their weights.
func weighted(s string, weights ...int) int {
	sum := 0
	for i, w := range weights {
		sum += int(s[i]-'0') * w
	}
	return sum
}

func luhnString(s string) bool {
	d := []byte(s)
	for i := range d {
		d[i] -= '0'
	}
	return luhn(d)
}

func monthDay(month, day int) bool { return month >= 1 && month <= 12 && day >= 1 && day <= 31 }

func same(s string) bool { return s == strings.Repeat(s[:1], len(s)) }

// validSSN checks area, group and serial number against what the Social Security
// Administration issues.
func validSSN(s string) bool {
	area := num(s, 0, 3)
	return area != 0 && area != 666 && area < 900 && num(s, 3, 5) != 0 && num(s, 5, 9) != 0
}

func validITIN(s string) bool {
	g := num(s, 3, 5)
	return s[0] == '9' && (g >= 50 && g <= 65 || g >= 70 && g <= 88 || g >= 90 && g <= 92 || g >= 94)
}

func validNHS(s string) bool {
	check := 11 - weighted(s, 10, 9, 8, 7, 6, 5, 4, 3, 2)%11
	return check%11 == int(s[9]-'0') && check != 10 && !same(s)
}

// validNINO checks the letters: which ones are used, and the prefixes that are
// never issued.
func validNINO(s string) bool {
	switch s[:2] {
	case "BG", "GB", "KN", "NK", "NT", "TN", "ZZ":
		return false
	}
	return !strings.ContainsRune("DFIQUV", rune(s[0])) && !strings.ContainsRune("DFIOQUV", rune(s[1])) && s[8] <= 'D'
}

func validDETaxID(s string) bool {
	product := 10
	for i := range 10 {
		sum := (int(s[i]-'0') + product) % 10
		if sum == 0 {
			sum = 10
		}
		product = sum * 2 % 11
	}
	return s[0] != '0' && (11-product)%10 == int(s[10]-'0') && !same(s[:10])
}

func validNIR(s string) bool {
	if s[0] != '1' && s[0] != '2' {
		return false
	}
	switch dept := s[5:7]; { // Corsica is 2A and 2B, counted as 19 and 18
	case dept == "2A":
		s = s[:5] + "19" + s[7:]
	case dept == "2B":
		s = s[:5] + "18" + s[7:]
	case dept[0] > '9' || dept[1] > '9':
		return false
	}
	m := num(s, 3, 5)
	return (m >= 1 && m <= 12 || m >= 20 && m <= 42 || m >= 50) && 97-num(s, 0, 13)%97 == num(s, 13, 15)
}

func validDNI(s string) bool {
	const table = "TRWAGMYFPDXBNJZSQVHLCKE"
	if i := strings.IndexByte("XYZ", s[0]); i >= 0 { // NIE
		s = string(rune('0'+i)) + s[1:]
	}
	return s[0] <= '9' && table[num(s, 0, 8)%23] == s[8]
}

// validCF computes the check letter of a codice fiscale. A table gives the value of each
// character in an odd place.
func validCF(s string) bool {
	odd := [26]int{1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23}
	sum := 0
	for i := range 15 {
		v := int(s[i] - 'A')
		if s[i] <= '9' {
			v = int(s[i] - '0')
		}
		if i%2 == 0 {
			v = odd[v]
		}
		sum += v
	}
	return strings.IndexByte("ABCDEHLMPRST", s[8]) >= 0 && byte('A'+sum%26) == s[15]
}

func validBSN(s string) bool {
	return weighted(s, 9, 8, 7, 6, 5, 4, 3, 2, -1)%11 == 0 && !same(s)
}

func validPESEL(s string) bool {
	month := num(s, 2, 4) % 20 // the century is added to the month
	return monthDay(month, num(s, 4, 6)) && weighted(s, 1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)%10 == 0
}

func validPNR(s string) bool {
	s = s[len(s)-10:]
	day := num(s, 4, 6)
	if day > 60 { // coordination number
		day -= 60
	}
	return monthDay(num(s, 2, 4), day) && luhnString(s)
}

func validFNR(s string) bool {
	day := num(s, 0, 2)
	if day > 40 { // D number
		day -= 40
	}
	return monthDay(num(s, 2, 4), day) &&
		weighted(s, 3, 7, 6, 1, 8, 9, 4, 5, 2, 1)%11 == 0 &&
		weighted(s, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)%11 == 0
}

func validCPR(s string) bool { return monthDay(num(s, 2, 4), num(s, 0, 2)) }

func validHETU(s string) bool {
	if len(s) == 11 { // the century's sign A is a letter
		s = s[:6] + s[7:]
	}
	const table = "0123456789ABCDEFHJKLMNPRSTUVWXY"
	return monthDay(num(s, 2, 4), num(s, 0, 2)) && table[num(s, 0, 9)%31] == s[9]
}

func validNRN(s string) bool {
	n, check := num(s, 0, 9), num(s, 9, 11)
	return 97-n%97 == check || 97-(2_000_000_000+n)%97 == check
}

func validAHV(s string) bool {
	return weighted(s, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1)%10 == 0
}

func validPPS(s string) bool {
	sum := weighted(s, 8, 7, 6, 5, 4, 3, 2)
	if len(s) == 9 {
		if s[8] > 'I' && s[8] != 'W' {
			return false
		}
		if s[8] != 'W' {
			sum += 9 * (int(s[8]-'A') + 1)
		}
	}
	return "WABCDEFGHIJKLMNOPQRSTUV"[sum%23] == s[7]
}

func validCPF(s string) bool {
	check := func(sum int) int { return sum * 10 % 11 % 10 }
	return !same(s) &&
		check(weighted(s, 10, 9, 8, 7, 6, 5, 4, 3, 2)) == int(s[9]-'0') &&
		check(weighted(s, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2)) == int(s[10]-'0')
}

func validSIN(s string) bool { return s[0] != '0' && s[0] != '8' && luhnString(s) }

func validTFN(s string) bool {
	return weighted(s, 1, 4, 3, 7, 5, 8, 6, 9, 10)%11 == 0 && !same(s)
}

// validAadhaar is the check of Verhoeff: it permutes each digit by its place, and
// multiplies in the dihedral group of the pentagon.
func validAadhaar(s string) bool {
	if s[0] < '2' {
		return false
	}
	perm := [10]int{1, 5, 7, 6, 2, 8, 3, 0, 9, 4}
	c := 0
	for i := range s {
		d := int(s[len(s)-1-i] - '0')
		for range i % 8 {
			d = perm[d]
		}
		c = dihedral(c, d)
	}
	return c == 0
}

// dihedral multiplies two elements of the group: 0 to 4 are rotations of a pentagon, 5 to
// 9 are reflections.
func dihedral(a, b int) int {
	switch {
	case a < 5 && b < 5:
		return (a + b) % 5
	case a < 5:
		return 5 + (a+b-5)%5
	case b < 5:
		return 5 + (a-5-b+5)%5
	}
	return (a - b + 5) % 5
}

func validCN(s string) bool {
	sum := 0
	for i, w := range [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2} {
		sum += int(s[i]-'0') * w
	}
	year := num(s, 6, 10)
	return year >= 1900 && year < 2100 && monthDay(num(s, 10, 12), num(s, 12, 14)) && "10X98765432"[sum%11] == s[17]
}

func validRRN(s string) bool {
	sum := weighted(s, 2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)
	return monthDay(num(s, 2, 4), num(s, 4, 6)) && s[6] >= '1' && s[6] <= '8' && (11-sum%11)%10 == int(s[12]-'0')
}

func validNRIC(s string) bool {
	sum := weighted(s[1:], 2, 7, 6, 5, 4, 3, 2)
	switch s[0] {
	case 'S', 'T':
		if s[0] == 'T' {
			sum += 4
		}
		return "JZIHGFEDCBA"[sum%11] == s[8]
	case 'F', 'G':
		if s[0] == 'G' {
			sum += 4
		}
		return "XWUTRQPNMLK"[sum%11] == s[8]
	}
	return false
}

func validZA(s string) bool {
	return monthDay(num(s, 2, 4), num(s, 4, 6)) && (s[10] == '0' || s[10] == '1') && luhnString(s)
}

func validTR(s string) bool {
	odd, even := weighted(s, 1, 0, 1, 0, 1, 0, 1, 0, 1), weighted(s, 0, 1, 0, 1, 0, 1, 0, 1)
	tenth := ((odd*7-even)%10 + 10) % 10
	return s[0] != '0' && tenth == int(s[9]-'0') && (odd+even+tenth)%10 == int(s[10]-'0')
}

// validGSTIN computes the check character modulo 36. Before it are a state, a taxpayer's
// number, a count of registrations and a Z.
func validGSTIN(s string) bool {
	sum := 0
	for i := range 14 {
		v := int(s[i] - '0')
		if s[i] >= 'A' {
			v = int(s[i]-'A') + 10
		}
		v *= 1 + i%2
		sum += v/36 + v%36
	}
	state := num(s, 0, 2)
	return (state >= 1 && state <= 38 || state == 97) && s[13] == 'Z' &&
		"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[(36-sum%36)%36] == s[14]
}

// validNPI is the check of Luhn. It includes 80840, the prefix of health cards in the
// United States.
func validNPI(s string) bool { return (s[0] == '1' || s[0] == '2') && luhnString("80840"+s) }

func validABA(s string) bool {
	district := num(s, 0, 2) // Federal Reserve, thrift, electronic, traveler's check
	return (district <= 12 || district >= 21 && district <= 32 || district >= 61 && district <= 72 || district == 80) &&
		weighted(s, 3, 7, 1, 3, 7, 1, 3, 7, 1)%10 == 0 && !same(s)
}

func validMedicare(s string) bool {
	return s[0] >= '2' && s[0] <= '6' && weighted(s, 1, 3, 7, 9, 1, 3, 7, 9)%10 == int(s[8]-'0')
}

func validABN(s string) bool {
	return (weighted(s, 10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)-10)%89 == 0 && s[0] != '0'
}

func validACN(s string) bool {
	return (10-weighted(s, 8, 7, 6, 5, 4, 3, 2, 1)%10)%10 == int(s[8]-'0') && !same(s)
}

// validRVNR checks a German pension insurance number. The letter counts as two digits, and
// the sum is taken over the digits of each product.
func validRVNR(s string) bool {
	letter := int(s[8]-'A') + 1
	digits := s[:8] + string([]byte{byte('0' + letter/10), byte('0' + letter%10)}) + s[9:11]
	sum := 0
	for i, w := range [12]int{2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1} {
		v := int(digits[i]-'0') * w
		sum += v/10 + v%10
	}
	day := num(s, 2, 4)
	if day > 31 { // 50 is added when the numbers of one day are used up
		day -= 50
	}
	return monthDay(num(s, 4, 6), max(1, day)) && sum%10 == int(s[11]-'0')
}

func validTH(s string) bool {
	return s[0] != '0' && (11-weighted(s, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2)%11)%10 == int(s[12]-'0')
}
