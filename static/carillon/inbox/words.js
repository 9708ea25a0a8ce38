// What the component says, and how it writes times, in the languages it knows.

const PLURAL_AR = new Intl.PluralRules("ar");
const UNREAD_AR = {
  zero: () => "لا إشعارات غير مقروءة",
  one: () => "إشعار واحد غير مقروء",
  two: () => "إشعاران غير مقروءين",
  few: (n) => `${n} إشعارات غير مقروءة`,
  many: (n) => `${n} إشعارًا غير مقروء`,
  other: (n) => `${n} إشعار غير مقروء`,
};
const WORDS = {
  en: {
    notifications: "Notifications",
    unreadCount: (n) => (n === 1 ? "1 unread" : `${n} unread`),
    unread: "Unread",
    all: "All",
    readAll: "Mark all as read",
    read: "Mark as read",
    unreadAgain: "Mark as unread",
    archive: "Archive",
    archived: "Archived",
    undo: "Undo",
    why: "Why am I getting this?",
    more: "Show older",
    settings: "Notification settings",
    close: "Close",
    arrived: (title) => `New notification: ${title}`,
    emptyUnread: "Nothing unread",
    emptyUnreadHint: "What comes next rings here.",
    emptyAll: "Nothing here yet",
    emptyAllHint: "When something happens that concerns you, it will appear here.",
    loading: "Loading…",
    failed: "Your notifications cannot be reached.",
    retry: "Try again",
    reconnecting: "Reconnecting. New notifications may be a little late.",
    signedOut: "You are signed out. Sign in again to see your notifications.",
    done: "Done",
  },
  de: {
    notifications: "Benachrichtigungen",
    unreadCount: (n) => `${n} ungelesen`,
    unread: "Ungelesen",
    all: "Alle",
    readAll: "Alle als gelesen markieren",
    read: "Als gelesen markieren",
    unreadAgain: "Als ungelesen markieren",
    archive: "Archivieren",
    archived: "Archiviert",
    undo: "Rückgängig",
    why: "Warum bekomme ich das?",
    more: "Ältere zeigen",
    settings: "Benachrichtigungseinstellungen",
    close: "Schließen",
    arrived: (title) => `Neue Benachrichtigung: ${title}`,
    emptyUnread: "Nichts ungelesen",
    emptyUnreadHint: "Was als Nächstes kommt, meldet sich hier.",
    emptyAll: "Noch nichts da",
    emptyAllHint: "Wenn etwas geschieht, das Sie betrifft, erscheint es hier.",
    loading: "Wird geladen …",
    failed: "Ihre Benachrichtigungen sind nicht erreichbar.",
    retry: "Erneut versuchen",
    reconnecting: "Verbindung wird wiederhergestellt. Neues kann etwas später kommen.",
    signedOut: "Sie sind abgemeldet. Melden Sie sich an, um Ihre Benachrichtigungen zu sehen.",
    done: "Erledigt",
  },
  ar: {
    notifications: "الإشعارات",
    unreadCount: (n) => UNREAD_AR[PLURAL_AR.select(n)](n),
    unread: "غير المقروءة",
    all: "الكل",
    readAll: "اجعل الكل مقروءًا",
    read: "اجعله مقروءًا",
    unreadAgain: "اجعله غير مقروء",
    archive: "أرشفة",
    archived: "تمت الأرشفة",
    undo: "تراجع",
    why: "لماذا يصلني هذا؟",
    more: "عرض الأقدم",
    settings: "إعدادات الإشعارات",
    close: "إغلاق",
    arrived: (title) => `إشعار جديد: ${title}`,
    emptyUnread: "لا شيء غير مقروء",
    emptyUnreadHint: "ما يأتي بعد ذلك يُعلَن هنا.",
    emptyAll: "لا شيء هنا بعد",
    emptyAllHint: "عندما يحدث ما يخصك، يظهر هنا.",
    loading: "جارٍ التحميل…",
    failed: "تعذّر الوصول إلى إشعاراتك.",
    retry: "حاول مرة أخرى",
    reconnecting: "تجري إعادة الاتصال. قد تتأخر الإشعارات الجديدة قليلًا.",
    signedOut: "تم تسجيل خروجك. سجّل الدخول من جديد لترى إشعاراتك.",
    done: "تم",
  },
};

// The words of a language tag ("de-AT"), English where there are none.
export const wordsIn = (locale) => WORDS[locale.toLowerCase().split("-")[0]] ?? WORDS.en;

export function ago(moment, locale) {
  const seconds = Math.min(0, (new Date(moment) - Date.now()) / 1000);
  const format = new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "short" });
  for (const [unit, size] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
    if (-seconds >= size) return format.format(Math.trunc(seconds / size), unit);
  }
  return format.format(0, "second");
}

export function exactly(moment, locale) {
  const parts = { weekday: "long", day: "numeric", month: "long", year: "numeric", hour: "numeric", minute: "2-digit" };
  return new Intl.DateTimeFormat(locale, { ...parts, timeZoneName: "short" }).format(new Date(moment));
}
