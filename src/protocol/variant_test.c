/*  =========================================================================
    variant_test - variants of golden messages deserve what the codec makes of them

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at http://mozilla.org/MPL/2.0/.
    =========================================================================
*/

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "../../conformance/harness/kit.h"
#include "../../conformance/harness/variant.h"
#include "mdp.h"

Suite *
variant_suite (void);

static kit_t *
s_kit (void)
{
    kit_t *kit = kit_new (NULL, stderr);
    ck_assert_ptr_nonnull (kit);
    ck_assert_int_eq (kit->mistakes, 0);
    return kit;
}

static mdp_result_t
s_decode (const golden_t *golden, zmsg_t *frames, mdp_command_t *command)
{
    message_t *message = message_new ();
    for (zframe_t *frame = zmsg_first (frames); frame;
                   frame = zmsg_next (frames))
        ck_assert_int_eq (message_add_bytes (message, zframe_data (frame),
                                             zframe_size (frame)), 0);
    mdp_result_t result = mdp_decode (message, 0, golden->way == WAY_FROM
        ? MDP_AT_BROKER: golden->role == ROLE_WORKER? MDP_AT_WORKER
        : MDP_AT_CLIENT, command);
    message_destroy (&message);
    return result;
}

//  The codec tells what is well formed; of that, a worker's REQUEST is what a
//  broker does not expect
static void
s_check (const kit_t *kit, const golden_t *golden, const variant_t *variant)
{
    mdp_command_t command;
    mdp_result_t result = s_decode (golden, variant->frames, &command);
    deserves_t deserves = result != MDP_OK? DESERVES_DROP
        : golden->way == WAY_FROM && command.type == MDP_WORKER_REQUEST
        ? DESERVES_DISCONNECT: DESERVES_ACCEPT;
    ck_assert_msg (deserves == variant->deserves, "%s of %s, %s: %s, but %s says "
        "%s", golden->name, golden->version, variant->name,
        deserves_text (variant->deserves), "the codec",
        mdp_result_text (result));
    ck_assert_msg (catalogue_find (kit->catalogue, variant->requirement) != NULL,
                   "the catalogue has no %s", variant->requirement);
}

START_TEST (variants_deserve_what_the_codec_says)
{
    kit_t *kit = s_kit ();
    size_t counts [3] = { 0, 0, 0 };
    for (size_t index = 0; index < fixtures_size (kit->fixtures); index++) {
        const golden_t *golden = fixtures_at (kit->fixtures, index);
        variants_t variants = variants_make (kit->fixtures, golden);
        ck_assert_uint_gt (variants.count, 5);
        for (size_t nbr = 0; nbr < variants.count; nbr++) {
            s_check (kit, golden, &variants.variants [nbr]);
            counts [variants.variants [nbr].deserves]++;
        }
        variants_clear (&variants);
    }
    //  Each verdict is deserved by some
    ck_assert_uint_gt (counts [DESERVES_ACCEPT], 10);
    ck_assert_uint_gt (counts [DESERVES_DROP], 100);
    ck_assert_uint_gt (counts [DESERVES_DISCONNECT], 1);
    kit_destroy (&kit);
}
END_TEST

static const variant_t *
s_find (const variants_t *variants, const char *name)
{
    for (size_t index = 0; index < variants->count; index++)
        if (streq (variants->variants [index].name, name))
            return &variants->variants [index];
    ck_abort_msg ("there is no variant: %s", name);
    return NULL;
}

static void
s_expect (const kit_t *kit, const char *message, role_t role, const char *name,
          const char *frames, deserves_t deserves, const char *requirement)
{
    const golden_t *golden = fixtures_exact (kit->fixtures, "mdp/0.1", message,
                                             WAY_FROM, role);
    variants_t variants = variants_make (kit->fixtures, golden);
    const variant_t *variant = s_find (&variants, name);
    char *text = notation_frames (variant->frames);
    ck_assert_str_eq (text, frames);
    ck_assert_int_eq (variant->deserves, deserves);
    ck_assert_str_eq (variant->requirement, requirement);
    free (text);
    variants_clear (&variants);
}

START_TEST (one_thing_is_spoilt)
{
    kit_t *kit = s_kit ();
    s_expect (kit, "REQUEST", ROLE_CLIENT, "frame 0 missing",
              "\"MDPC01\"  \"echo\"  \"Hello world\"", DESERVES_DROP,
              "MDP1-CONNECTION-21");
    s_expect (kit, "REQUEST", ROLE_CLIENT, "service empty",
              "\"\"  \"MDPC01\"  \"\"  \"Hello world\"", DESERVES_DROP,
              "MDP1-CONNECTION-21");
    s_expect (kit, "REQUEST", ROLE_CLIENT, "frame added at the end",
              "\"\"  \"MDPC01\"  \"echo\"  \"Hello world\"  \"more\"",
              DESERVES_ACCEPT, "MDP1-CLIENT-08");
    s_expect (kit, "READY", ROLE_WORKER, "frame added at the end",
              "\"\"  \"MDPW01\"  0x01  \"echo\"  \"more\"", DESERVES_DROP,
              "MDP1-CONNECTION-21");
    s_expect (kit, "REPLY", ROLE_WORKER, "delimiter not empty",
              "\"\"  \"MDPW01\"  0x03  0x00800041a7  \"x\"  \"Hello world\"",
              DESERVES_DROP, "MDP1-CONNECTION-21");
    s_expect (kit, "REPLY", ROLE_WORKER, "command 0x02",
              "\"\"  \"MDPW01\"  0x02  0x00800041a7  \"\"  \"Hello world\"",
              DESERVES_DISCONNECT, "MDP1-CONNECTION-19");
    kit_destroy (&kit);
}
END_TEST

Suite *
variant_suite (void)
{
    Suite *suite = suite_create ("variant");
    TCase *tcase = tcase_create ("variant");
    tcase_add_test (tcase, variants_deserve_what_the_codec_says);
    tcase_add_test (tcase, one_thing_is_spoilt);
    suite_add_tcase (suite, tcase);
    return suite;
}
