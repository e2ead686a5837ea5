// Two readings of one configuration file: what a broker that runs can take over of the later one.
#ifndef CPIS_BROKER_CONFIG_CHANGE_H
#define CPIS_BROKER_CONFIG_CHANGE_H

#include "broker/config.h"

#define CONFIG_CHANGE_BYTES 200 // of a list of names; what does not fit is cut

// Names the settings that differ and that a running broker cannot change, with commas; "" when there is none. False then too.
bool config_change_needs_restart(const struct config *now, const struct config *fresh, char ret_names[CONFIG_CHANGE_BYTES]);
// The same of those that it can change.
bool config_change_is_there(const struct config *now, const struct config *fresh, char ret_names[CONFIG_CHANGE_BYTES]);
// Takes those over from `fresh`, which stays the caller's to free. Pointers to strings of `now` that changed are no longer good.
void config_change_adopt(struct config *now, struct config *fresh);

#endif
