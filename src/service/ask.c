/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ask.c: see ask.h. Each question's answer is in ask-*.c. */
#include "config.h"

#include <string.h>

#include "ask.h"
#include "files.h"
#include "guest/xml.h"
#include "model/document.h"

/* As many strings as a question's array may have. */
#define TEXTS_MAX 100000u
#define TEXT_MAX 4096u

static const struct asking *const askings[] = {
	&asking_hosts, &asking_show, &asking_guests, &asking_contracts, &asking_diff, &asking_check,
	&asking_baseline, &asking_tradeoff, &asking_pools, &asking_matrix, &asking_drain,
	&asking_stranded, &asking_drift, &asking_decision, &asking_report, &asking_levels, &asking_level,
	&asking_level_join, &asking_level_propose, NULL,
};

const struct asking *asking_at(size_t i)
{
	return askings[i];
}

const struct asking *asking_find(const char *name)
{
	for (size_t i = 0; askings[i]; i++)
		if (!strcmp(askings[i]->name, name))
			return askings[i];
	return NULL;
}

static bool are_texts(const json_t *array)
{
	const json_t *text;
	size_t i;

	if (!json_is_array(array) || json_array_size(array) > TEXTS_MAX)
		return false;
	json_array_foreach (array, i, text)
		if (!json_is_string(text) || json_string_length(text) > TEXT_MAX)
			return false;
	return true;
}

/* NULL where it is right, else what it must be. */
static const char *wrong(const json_t *value, enum member_type type)
{
	switch (type) {
	case MEMBER_TEXT:
		return json_is_string(value) && json_string_length(value) <= TEXT_MAX ? NULL : "a string";
	case MEMBER_TEXTS:
		return are_texts(value) ? NULL : "an array of strings";
	case MEMBER_FLAG:
		return json_is_boolean(value) ? NULL : "true or false";
	case MEMBER_NUMBER:
		return json_is_integer(value) ? NULL : "a whole number";
	case MEMBER_OBJECT:
		return json_is_object(value) ? NULL : "an object";
	case MEMBER_ARRAY:
		return json_is_array(value) && json_array_size(value) <= TEXTS_MAX ? NULL : "an array";
	}
	return "something else";
}

static const struct question_member *member_of(const struct asking *asking, const char *name)
{
	static const struct question_member assume = { "assume", MEMBER_ARRAY, false };

	for (const struct question_member *m = asking->members; m->name; m++)
		if (!strcmp(m->name, name))
			return m;
	return strcmp(name, "assume") ? NULL : &assume;
}

/* A word that isn't understood may have been meant to change the answer. */
static bool check_members(const struct asking *asking, const json_t *question, GError **error)
{
	const char *key;
	json_t *value;

	if (!json_is_object(question)) {
		g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_USAGE, "%s: a question is an object (see capbrokerd(8))",
			    asking->name);
		return false;
	}
	json_object_foreach ((json_t *)question, key, value) {
		const struct question_member *m = member_of(asking, key);
		const char *what = m ? wrong(value, m->type) : NULL;

		if (m && !what)
			continue;
		g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_USAGE,
			    m ? "%s: '%.64s': must be %s (see capbrokerd(8))" :
				"%s: '%.64s': no such member of this question%s (see capbrokerd(8))",
			    asking->name, key, m ? what : "");
		return false;
	}
	for (const struct question_member *m = asking->members; m->name; m++)
		if (m->required && !json_object_get(question, m->name)) {
			g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_USAGE,
				    "%s: '%s' is missing (see capbrokerd(8))", asking->name, m->name);
			return false;
		}
	return true;
}

json_t *ask(struct session *session, const struct asking *asking, const json_t *question, int *status,
	    GError **error)
{
	*status = 0;
	if (!check_members(asking, question, error))
		return NULL;
	return asking->answer(session, question, status, error);
}

json_t *question_file(const char *path)
{
	g_autofree char *bytes = NULL, *label = file_label(path), *valid = g_utf8_make_valid(label, -1);
	json_t *file = json_pack("{s:s}", "label", valid), *text;
	g_autofree char *base64 = NULL;
	g_autoptr(GError) error = NULL;
	gsize length;

	if (!file_read(path, XML_MAX_BYTES, &bytes, &length, &error)) {
		json_object_set_new(file, "problem", error_answer(error));
		return file;
	}
	text = json_stringn(bytes, length); /* NULL where it isn't UTF-8 */
	if (!text)
		base64 = g_base64_encode((const guchar *)bytes, length);
	json_object_set_new(file, text ? "text" : "base64", text ? text : json_string(base64));
	return file;
}

json_t *question_text(const char *text)
{
	g_autofree char *valid = text ? g_utf8_make_valid(text, -1) : NULL;

	return valid ? json_string(valid) : NULL;
}

json_t *question_texts(char *const *texts)
{
	json_t *array = json_array();

	for (size_t i = 0; texts && texts[i]; i++)
		json_array_append_new(array, question_text(texts[i]));
	return array;
}

const char *asked_text(const json_t *question, const char *name)
{
	return member_text(question, name);
}

bool asked_flag(const json_t *question, const char *name)
{
	return json_is_true(json_object_get(question, name));
}

int64_t asked_number(const json_t *question, const char *name, int64_t other)
{
	const json_t *number = json_object_get(question, name);

	return json_is_integer(number) ? json_integer_value(number) : other;
}

char **asked_texts(const json_t *question, const char *name)
{
	const json_t *array = json_object_get(question, name), *text;
	char **texts = json_array_size(array) ? g_new0(char *, json_array_size(array) + 1) : NULL;
	size_t i;

	json_array_foreach (array, i, text)
		texts[i] = (char *)json_string_value(text);
	return texts;
}

char *asked_file(const json_t *file, const char **label, gsize *length, GError **error)
{
	const json_t *text = json_object_get(file, "text");
	const char *base64 = member_text(file, "base64");
	GError *problem = error_from_answer(json_object_get(file, "problem"));
	char *bytes;

	*label = member_text(file, "label");
	if (!*label)
		*label = "document";
	if (problem) {
		g_propagate_error(error, problem);
		return NULL;
	}
	if (json_is_string(text)) {
		*length = json_string_length(text);
		bytes = g_malloc(*length + 1);
		memcpy(bytes, json_string_value(text), *length + 1);
		return bytes;
	}
	bytes = base64 ? (char *)g_base64_decode(base64, length) : NULL;
	if (!bytes) {
		g_set_error(error, SERVICE_ERROR, SERVICE_ERROR_USAGE,
			    "%s: neither 'text' nor 'base64' is given (see capbrokerd(8))", *label);
		return NULL;
	}
	bytes = g_realloc(bytes, *length + 1);
	bytes[*length] = 0;
	return bytes;
}

GPtrArray *asked_hosts(const struct session *s, const json_t *question, const char *name, GError **error)
{
	g_autofree char **selectors = asked_texts(question, name);

	return session_select(s, selectors, error);
}
