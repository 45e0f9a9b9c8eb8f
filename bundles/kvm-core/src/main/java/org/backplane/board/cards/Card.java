package org.backplane.board.cards;

import org.backplane.kvm.spi.CardFactory;

/**
 * A card that can be used: a factory, and the bundle that registered it, which is the card's version for people.
 *
 * @param kind what kind of factory it is
 * @param bundle symbolic name
 */
public record Card(Kind kind, CardFactory factory, String bundle, String version, long bundleId) {
    /** Kinds of cards, named as users see them. */
    public enum Kind {
        DEVICE("device"),
        MMU("mmu"),
        EMULATOR("emulator"),
        CPU_BACKEND("cpu-backend"),
        FIRMWARE("firmware"),
        LOADER("loader"),
        IMAGE("image");

        private final String label;

        Kind(String label) {
            this.label = label;
        }

        public String label() {
            return label;
        }
    }

    public String type() {
        return factory.type();
    }

    /** {@code type@version}, with the bundle's number. */
    public String describe() {
        return type() + "@" + version + " (bundle " + bundleId + ")";
    }
}
