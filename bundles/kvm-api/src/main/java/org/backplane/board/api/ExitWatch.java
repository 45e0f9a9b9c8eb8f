package org.backplane.board.api;

import org.osgi.annotation.versioning.ProviderType;

/** Somebody watches a machine's exits: from now until it is closed the time of each is measured. */
@ProviderType
public interface ExitWatch extends AutoCloseable {
    /** Ends it; a second time does nothing. */
    @Override
    void close();
}
