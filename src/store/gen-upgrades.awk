# SPDX-License-Identifier: LGPL-2.1-or-later
# gen-upgrades.awk FILE…: write schema/store/NNNN-NAME.sql as the C table of upgrades.h.
# The files come in order; a gap or a wrong name stops the build.

function fail(text)
{
	print FILENAME ": " text > "/dev/stderr"
	failed = 1
	exit 1
}

function close_entry()
{
	if (count)
		print "\t},"
}

BEGIN {
	print "/* SPDX-License-Identifier: LGPL-2.1-or-later */"
	print "/* Made by gen-upgrades.awk of schema/store; edits here are lost. */"
	print "#include \"upgrades.h\"\n"
	print "const struct store_upgrade store_upgrades[] = {"
}

FNR == 1 {
	close_entry()
	name = FILENAME
	sub(/.*\//, "", name)
	if (name !~ /^[0-9][0-9][0-9][0-9]-[a-z0-9-]+\.sql$/)
		fail("not named NNNN-name.sql")
	count++
	if (substr(name, 1, 4) + 0 != count)
		fail("is upgrade " substr(name, 1, 4) + 0 ", expected " count)
	sub(/\.sql$/, "", name)
	print "\t{"
	print "\t\t.version = " count ","
	print "\t\t.name = \"" name "\","
	print "\t\t.sql ="
	print "\t\t\t\"\""
}

{
	line = $0
	gsub(/\\/, "\\\\\\\\", line)
	gsub(/"/, "\\\"", line)
	gsub(/\t/, "\\t", line)
	print "\t\t\t\"" line "\\n\""
}

END {
	if (failed)
		exit 1
	close_entry()
	print "};\n"
	print "const size_t store_upgrade_count = " count + 0 ";"
}
