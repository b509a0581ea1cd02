/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * auth.c: who asks, and as what. Over the unix socket the kernel says who connected; elsewhere a token
 * does, and nothing else. What can't be read lets nobody in.
 */
#include "config.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker.h"

#define GROUPS_MAX 256

struct auth {
	char *path, *readers, *agents;
	GMutex lock;
	struct tokens *tokens; /* NULL: they can't be read */
	struct stat seen;      /* the file as it was read */
	bool read;
};

struct auth *auth_new(const struct settings *settings)
{
	struct auth *a = g_new0(struct auth, 1);

	a->path = g_strdup(settings->tokens);
	a->readers = g_strdup(settings->readers);
	a->agents = g_strdup(settings->agents);
	g_mutex_init(&a->lock);
	return a;
}

void auth_free(struct auth *a)
{
	if (!a)
		return;
	tokens_free(a->tokens);
	g_free(a->path);
	g_free(a->readers);
	g_free(a->agents);
	g_mutex_clear(&a->lock);
	g_free(a);
}

void caller_clear(struct caller *c)
{
	g_clear_pointer(&c->host, g_free);
	g_clear_pointer(&c->name, g_free);
}

/* --- tokens ----------------------------------------------------------------------------------- */

static bool is_as_seen(const struct auth *a, const struct stat *now)
{
	return a->read && a->seen.st_ino == now->st_ino && a->seen.st_size == now->st_size &&
	       a->seen.st_ctim.tv_sec == now->st_ctim.tv_sec && a->seen.st_ctim.tv_nsec == now->st_ctim.tv_nsec;
}

/* Reads the file again where it is another; under the lock. */
static void refresh(struct auth *a)
{
	g_autoptr(GError) error = NULL;
	struct stat now = { 0 };

	if (stat(a->path, &now) < 0)
		memset(&now, 0, sizeof(now));
	if (is_as_seen(a, &now))
		return;
	g_clear_pointer(&a->tokens, tokens_free);
	a->tokens = tokens_read(a->path, &error);
	a->seen = now;
	a->read = true;
	if (error)
		log_event(LOG_LEVEL_ERROR, "tokens-unreadable", "reason", error->message, NULL);
}

static bool by_token(struct auth *a, const char *header, struct caller *c)
{
	const struct token *t = NULL;

	if (g_ascii_strncasecmp(header, "Bearer ", strlen("Bearer ")))
		return false;
	g_mutex_lock(&a->lock);
	refresh(a);
	if (a->tokens)
		t = tokens_find(a->tokens, header + strlen("Bearer "), g_get_real_time() / G_USEC_PER_SEC);
	if (t) {
		c->known = true;
		c->enrols = t->enrolment;
		c->role = t->enrolment ? ROLE_NONE : t->role;
		c->host = g_strdup(t->host);
		c->name = g_strconcat("token ", t->id, NULL);
	}
	g_mutex_unlock(&a->lock);
	return t != NULL;
}

/* --- peers ------------------------------------------------------------------------------------ */

static bool is_in(uid_t uid, gid_t gid, const char *name)
{
	struct passwd entry, *user = NULL;
	struct group group_entry, *group = NULL;
	gid_t groups[GROUPS_MAX];
	char text[16384], group_text[65536];
	int n = GROUPS_MAX;

	if (!name || getgrnam_r(name, &group_entry, group_text, sizeof(group_text), &group) || !group)
		return false;
	if (gid == group->gr_gid)
		return true;
	if (getpwuid_r(uid, &entry, text, sizeof(text), &user) || !user ||
	    getgrouplist(user->pw_name, user->pw_gid, groups, &n) < 0)
		return false;
	for (int i = 0; i < n; i++)
		if (groups[i] == group->gr_gid)
			return true;
	return false;
}

static void by_peer(const struct auth *a, const struct request *r, struct caller *c)
{
	if (r->uid == 0 || r->uid == geteuid())
		c->role = ROLE_ADMIN;
	else if (is_in(r->uid, r->gid, a->readers))
		c->role = ROLE_READER;
	else if (is_in(r->uid, r->gid, a->agents))
		c->role = ROLE_AGENT;
	if (c->role == ROLE_AGENT)
		c->host = g_strdup(g_get_host_name());
	c->known = c->role != ROLE_NONE;
	c->name = g_strdup(r->peer);
}

void auth_caller(struct auth *a, const struct request *r, struct caller *c)
{
	*c = (struct caller){ .role = ROLE_NONE };
	/* A token that is given is meant, whoever gives it. */
	if (r->authorization) {
		if (!by_token(a, r->authorization, c))
			c->name = g_strdup(r->peer);
	} else if (r->local) {
		by_peer(a, r, c);
	} else {
		c->name = g_strdup(r->peer);
	}
}
