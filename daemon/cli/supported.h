/*
 * What a link file may ask for and this build cannot do yet. Keys are understood and checked
 * before their feature is there, so that a file need not be rewritten later.
 */
#ifndef CLI_SUPPORTED_H
#define CLI_SUPPORTED_H

#include "common/diag.h"
#include "conf/model.h"

/*!
 * Adds a finding for each feature that the file uses and this build lacks.
 * \param level  DIAG_ERROR when the link is to be started, DIAG_WARNING when it is only checked
 */
void supported_check(const struct conf_link *conf, enum diag_level level, struct diag *diag);

#endif
