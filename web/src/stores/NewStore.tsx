/** A new store, above all views: the dialog, a draft that is not sent, one whose answer is awaited, one that was refused. */
import { Modal } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useEffect, useRef, useState } from 'react';
import { useLocation, useNavigate } from 'react-router';

import { call, sentence } from '../api/client';
import type { Me, Store } from '../api/types';
import { afterFirstSight, lazyAgain } from '../ui/lazyAgain';
import { bodyOf, type Draft, EMPTY, type Form, formOf, isEmpty } from './draft';

const CreateStore = lazyAgain(() => import('./CreateStore'), { h: '27.5rem', part: true });

/** A draft that was laid aside: refused behind its author's back, or left for another. */
interface Aside {
  form: Form;
  why: string;
}

interface Making {
  /** Open the dialog. */
  open: () => void;
  asides: readonly Aside[];
  restore: (form: Form) => void;
  dismiss: (form: Form) => void;
}

const Context = createContext<Making | null>(null);

export function useNewStore(): Making {
  const making = useContext(Context);
  if (making === null) throw new Error('There is no NewStore above this');
  return making;
}

export function NewStore({ me, children }: { me: Me; children: ReactNode }) {
  const client = useQueryClient();
  const go = useNavigate();
  const { pathname } = useLocation();
  const [openedAt, setOpenedAt] = useState<string | null>(null);
  const opened = openedAt === pathname;
  if (openedAt !== null && !opened) setOpenedAt(null); // whoever goes elsewhere leaves it
  const [form, setForm] = useState(() => formOf(EMPTY));
  const [asides, setAsides] = useState<readonly Aside[]>([]);
  const shown = useRef<string | null>(null);
  useEffect(() => {
    shown.current = opened ? form.key : null;
  }, [opened, form.key]);
  useEffect(() => afterFirstSight(CreateStore.preload), []);
  const open = () => setOpenedAt(pathname);
  const close = () => setOpenedAt(null);
  const layAside = (aside: Aside) => setAsides((known) => [aside, ...known]); // the newest is in sight
  const dismiss = ({ key }: Form) => setAsides((known) => known.filter((aside) => aside.form.key !== key));
  /** The next draft is another. */
  const done = (sent: Form) => setForm((now) => (now.key === sent.key ? formOf(EMPTY) : now));
  const create = useMutation({
    mutationFn: ({ draft, key }: Form) => call<Store>('POST', '/stores', bodyOf(draft), { 'Idempotency-Key': key }),
    onSuccess: (store, sent) => {
      client.setQueryData(['store', store.id], store);
      void client.invalidateQueries({ queryKey: ['stores'] });
      void client.invalidateQueries({ queryKey: ['me'] });
      done(sent);
      // Whoever closed the dialog does something else by now.
      if (shown.current !== sent.key) return;
      close(); // its page may be where one is
      void go(`/stores/${store.id}`);
    },
    onError: (error, sent) => {
      if (shown.current === sent.key) return;
      layAside({ form: sent, why: sentence(error) });
      done(sent);
    },
  });
  const mine = create.variables?.key === form.key;
  const sending = mine && create.isPending;
  const edit = (draft: Draft) => {
    if (!sending) setForm(formOf(draft));
  };
  const leave = () => {
    // As it is, not as it was drawn: whoever is quick would find the sent draft again.
    const sent = client.isMutating({ predicate: ({ state }) => state.variables === form }) > 0;
    if (sent) setForm(formOf(EMPTY)); // it goes its way
    close();
  };
  const restore = (lost: Form) => {
    dismiss(lost);
    // What is typed is not thrown away for it; what is sent goes its way.
    if (!sending && !isEmpty(form.draft)) layAside({ form, why: mine && create.error ? sentence(create.error) : 'It was not sent yet.' });
    setForm(lost);
    open();
  };
  return (
    <Context.Provider value={{ open, asides, restore, dismiss }}>
      {children}
      <Modal opened={opened} onClose={leave} title="New store" size="lg">
        {opened && <CreateStore me={me} draft={form.draft} edit={edit} send={() => create.mutate(form)} sending={sending} error={mine ? create.error : null} />}
      </Modal>
    </Context.Provider>
  );
}
