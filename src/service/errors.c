/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* errors.c: see errors.h. */
#include "config.h"

#include <string.h>

#include "answer/answer.h"
#include "errors.h"
#include "model/document.h"
#include "model/error.h"
#include "store.h"

G_DEFINE_QUARK(service-error, service_error)

static const char *const store_codes[] = {
	[STORE_ERROR_OPEN] = "store-open",   [STORE_ERROR_LOCKED] = "store-locked",
	[STORE_ERROR_CORRUPT] = "store-corrupt", [STORE_ERROR_NEWER] = "store-newer",
	[STORE_ERROR_FULL] = "store-full",   [STORE_ERROR_FAILED] = "store-failed",
};
static const char *const service_codes[] = {
	[SERVICE_ERROR_USAGE] = "usage",
	[SERVICE_ERROR_IO] = "io",
	[SERVICE_ERROR_NAME] = "unknown-name",
};

const char *error_code(const GError *error)
{
	if (error->domain == STORE_ERROR && (gsize)error->code < G_N_ELEMENTS(store_codes))
		return store_codes[error->code];
	if (error->domain == SERVICE_ERROR && (gsize)error->code < G_N_ELEMENTS(service_codes))
		return service_codes[error->code];
	if (error->domain == G_OPTION_ERROR)
		return "usage";
	if (error->domain == CAPBROKER_ERROR)
		return error->code == ERROR_UNKNOWN ? "unknown-name" : "invalid";
	return "failed";
}

char *error_line(const GError *error)
{
	char *line = g_utf8_make_valid(error->message, -1);

	for (char *c = line; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = ' ';
	return line;
}

json_t *error_answer(const GError *error)
{
	g_autofree char *line = error_line(error);

	return answer_error(error_code(error), line);
}

/* Puts together what answer_error() took apart. */
static char *line_of(const json_t *error)
{
	const char *where = member_text(error, "where"), *what = member_text(error, "message");
	const char *fix = member_text(error, "fix");

	return g_strconcat(g_strcmp0(where, "capbroker") && where ? where : "",
			   g_strcmp0(where, "capbroker") && where ? ": " : "", what ? what : "failed",
			   fix ? " (" : NULL, fix, ")", NULL);
}

GError *error_from_answer(const json_t *answer)
{
	const json_t *error = json_object_get(answer, "error");
	const char *code = member_text(error, "code");
	g_autofree char *line = error ? line_of(error) : NULL;

	if (!line || !code)
		return NULL;
	for (gsize i = 0; i < G_N_ELEMENTS(store_codes); i++)
		if (!strcmp(code, store_codes[i]))
			return g_error_new_literal(STORE_ERROR, (int)i, line);
	for (gsize i = 0; i < G_N_ELEMENTS(service_codes); i++)
		if (!strcmp(code, service_codes[i]))
			return g_error_new_literal(SERVICE_ERROR, (int)i, line);
	if (!strcmp(code, "invalid"))
		return g_error_new_literal(CAPBROKER_ERROR, ERROR_INVALID, line);
	return g_error_new_literal(G_FILE_ERROR, G_FILE_ERROR_FAILED, line);
}

