/*  =========================================================================
    keyring_test - certificates: bad ones, and some that come and go

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <czmq.h>

#include "keyring.h"

Suite *
keyring_suite (void);

#define PATH_SIZE 128

static char s_folder [32];      //  Where certificates are
static char s_own [PATH_SIZE];  //  Ours
static char s_secret [PATH_SIZE];   //  Its secret part
static char s_clients [PATH_SIZE];  //  The directory

static void
s_path (char *path, const char *name)
{
    snprintf (path, PATH_SIZE, "%s/%s", s_folder, name);
}

static void
s_setup (void)
{
    strcpy (s_folder, "/tmp/keyring_test.XXXXXX");
    ck_assert_ptr_nonnull (mkdtemp (s_folder));
    s_path (s_own, "own");
    s_path (s_secret, "own_secret");
    s_path (s_clients, "clients");
    ck_assert_int_eq (mkdir (s_clients, 0700), 0);
    zcert_t *cert = zcert_new ();
    ck_assert_int_eq (zcert_save (cert, s_own), 0);
    zcert_destroy (&cert);
}

static void
s_teardown (void)
{
    zdir_t *folder = zdir_new (s_folder, NULL);
    zdir_remove (folder, true);
    zdir_destroy (&folder);
}

static void
s_write (const char *path, const char *text)
{
    FILE *file = fopen (path, "w");
    ck_assert_ptr_nonnull (file);
    fputs (text, file);
    fclose (file);
    chmod (path, 0600);
}

//  A server cannot be made, and the error has these words.
static void
s_fails (const char *certificate, const char *clients, const char *words)
{
    char error [512] = "";
    keyring_t *keyring = keyring_server_new (certificate, clients, error,
                                             sizeof (error));
    ck_assert_ptr_null (keyring);
    ck_assert_msg (strstr (error, words), "%s: not in: %s", words, error);
    ck_assert_ptr_null (strchr (error, '\n'));
}

START_TEST (bad_certificates)
{
    char path [PATH_SIZE];
    s_path (path, "nothing");
    s_fails (path, "any", "No such file");
    s_fails (s_own, path, "cannot read certificates in");
    s_path (path, "garbage");
    s_write (path, "{ this is no certificate");
    s_fails (path, "any", "there is none in it");
    s_write (path, "curve\n    public-key = \"too short\"\n");
    s_fails (path, "any", "there is none in it");
    //  Of the right length, and not in the alphabet
    s_write (path, "curve\n    public-key = "
                   "\"~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\"\n");
    s_fails (path, "any", "there is none in it");
}
END_TEST

START_TEST (a_certificate_without_its_secret)
{
    unlink (s_secret);
    chmod (s_own, 0600);
    s_fails (s_own, "any", "no secret key");
}
END_TEST

START_TEST (a_secret_that_is_another_one_s)
{
    zcert_t *one = zcert_new ();
    zcert_t *other = zcert_new ();
    zcert_t *mixed = zcert_new_from (zcert_public_key (one),
                                     zcert_secret_key (other));
    ck_assert_int_eq (zcert_save (mixed, s_own), 0);
    s_fails (s_own, "any", "do not belong together");
    zcert_destroy (&one);
    zcert_destroy (&other);
    zcert_destroy (&mixed);
}
END_TEST

START_TEST (a_secret_that_others_can_read)
{
    char error [512];
    static const mode_t modes [] = { 0604, 0602, 0620, 0644 };
    for (size_t index = 0; index < sizeof (modes) / sizeof (*modes); index++) {
        chmod (s_secret, modes [index]);
        s_fails (s_own, "any", "chmod 600");
    }
    //  A group of its own may be how a service gets it
    chmod (s_secret, 0640);
    keyring_t *keyring = keyring_server_new (s_own, "any", error,
                                             sizeof (error));
    ck_assert_ptr_nonnull (keyring);
    keyring_destroy (&keyring);
}
END_TEST

START_TEST (the_server_s_certificate)
{
    char path [PATH_SIZE], error [512];
    s_path (path, "broker");
    ck_assert_ptr_null (keyring_client_new (s_own, path, error,
                                            sizeof (error)));
    ck_assert_ptr_nonnull (strstr (error, "No such file"));
    zcert_t *cert = zcert_new ();
    ck_assert_int_eq (zcert_save_public (cert, path), 0);
    zcert_destroy (&cert);
    keyring_t *keyring = keyring_client_new (s_own, path, error,
                                             sizeof (error));
    ck_assert_ptr_nonnull (keyring);
    keyring_destroy (&keyring);
    ck_assert_ptr_null (keyring);
}
END_TEST

START_TEST (certificates_come_and_go)
{
    char path [PATH_SIZE], other [PATH_SIZE], error [512];
    s_path (path, "clients/one");
    s_path (other, "clients/garbage");
    s_write (other, "no certificate");
    zcert_t *cert = zcert_new ();
    const unsigned char *key = zcert_public_key (cert);
    keyring_t *keyring = keyring_server_new (s_own, s_clients, error,
                                             sizeof (error));
    ck_assert_ptr_nonnull (keyring);
    //  Far apart, so that each time the directory is looked at
    int64_t now_ms = 1000000;
    ck_assert (!keyring_admits (keyring, key, now_ms));
    ck_assert_int_eq (zcert_save_public (cert, path), 0);
    ck_assert (keyring_admits (keyring, key, now_ms += 100000));
    ck_assert_uint_eq (keyring_known (keyring), 1);
    ck_assert_int_eq (unlink (path), 0);
    ck_assert (!keyring_admits (keyring, key, now_ms += 100000));
    //  What only its owner has counts for nothing here
    s_path (path, "clients/one_secret");
    ck_assert_int_eq (zcert_save_secret (cert, path), 0);
    ck_assert (!keyring_admits (keyring, key, now_ms += 100000));
    //  No directory any more: nobody
    s_path (path, "clients/one");
    ck_assert_int_eq (zcert_save_public (cert, path), 0);
    ck_assert (keyring_admits (keyring, key, now_ms += 100000));
    s_path (other, "elsewhere");
    ck_assert_int_eq (rename (s_clients, other), 0);
    ck_assert (!keyring_admits (keyring, key, now_ms += 100000));
    keyring_destroy (&keyring);
    zcert_destroy (&cert);
}
END_TEST

START_TEST (who_knocks_often_is_looked_up_in_what_is_known)
{
    char path [PATH_SIZE], error [512];
    s_path (path, "clients/one");
    zcert_t *cert = zcert_new ();
    keyring_t *keyring = keyring_server_new (s_own, s_clients, error,
                                             sizeof (error));
    ck_assert_ptr_nonnull (keyring);
    int64_t now_ms = 1000000;
    ck_assert (!keyring_admits (keyring, zcert_public_key (cert), now_ms));
    ck_assert_int_eq (zcert_save_public (cert, path), 0);
    //  The directory is not read for each of them
    ck_assert (!keyring_admits (keyring, zcert_public_key (cert), now_ms + 1));
    keyring_destroy (&keyring);
    zcert_destroy (&cert);
}
END_TEST

START_TEST (anybody)
{
    char error [512];
    zcert_t *cert = zcert_new ();
    keyring_t *keyring = keyring_server_new (s_own, "any", error,
                                             sizeof (error));
    ck_assert_ptr_nonnull (keyring);
    ck_assert (keyring_admits (keyring, zcert_public_key (cert), 0));
    keyring_destroy (&keyring);
    zcert_destroy (&cert);
}
END_TEST

Suite *
keyring_suite (void)
{
    Suite *suite = suite_create ("keyring");
    TCase *tcase = tcase_create ("keyring");
    tcase_add_checked_fixture (tcase, s_setup, s_teardown);
    tcase_add_test (tcase, bad_certificates);
    tcase_add_test (tcase, a_certificate_without_its_secret);
    tcase_add_test (tcase, a_secret_that_is_another_one_s);
    tcase_add_test (tcase, a_secret_that_others_can_read);
    tcase_add_test (tcase, the_server_s_certificate);
    tcase_add_test (tcase, certificates_come_and_go);
    tcase_add_test (tcase, who_knocks_often_is_looked_up_in_what_is_known);
    tcase_add_test (tcase, anybody);
    suite_add_tcase (suite, tcase);
    return suite;
}
