"""The published unlearning objectives in PyTorch, as written, for make_golden.py.

Each takes (model, reference, batches, hyper) and gives (loss, parts). `batches` holds padded rows
of `forget`, `retain` and `idk`; labels are shifted by one position inside.
"""

import torch
from torch.nn import functional

END = 2  # end of sequence and padding
IGNORE = -100


def logits_of(model, batch):
    return model(input_ids=torch.tensor(batch["input_ids"]),
                 attention_mask=torch.tensor(batch["attention_mask"])).logits


def log_softmax(model, batch):
    return logits_of(model, batch).log_softmax(-1)


def token_losses(logits, labels):
    """Cross entropy of each labelled position, 0 elsewhere: rows x (width - 1)."""
    return functional.cross_entropy(logits[:, :-1].transpose(1, 2), labels[:, 1:],
                                    ignore_index=IGNORE, reduction="none")


def forget_labels(batches, hyper):
    return torch.tensor(batches["forget"]["labels" if hyper["fill_mask"] else "answer_labels"])


def retain_labels(batches, kind="retain"):
    return torch.tensor(batches[kind]["labels"])


def mean_loss(logits, labels):
    return token_losses(logits, labels).sum() / (labels[:, 1:] != IGNORE).sum()


def retain_loss(model, batches):
    return mean_loss(logits_of(model, batches["retain"]), retain_labels(batches))


def sequence_losses(model, batch, labels):
    return token_losses(logits_of(model, batch), labels).sum(1)


def without_gradient(function, *arguments):
    with torch.no_grad():
        return function(*arguments)


def cross_entropy(model, reference, batches, hyper):
    labels = torch.tensor(batches["forget"]["answer_labels"])
    return mean_loss(logits_of(model, batches["forget"]), labels), {}


def grad_ascent(model, reference, batches, hyper):
    loss = -mean_loss(logits_of(model, batches["forget"]), forget_labels(batches, hyper))
    return loss, {"forget_loss": loss}


def grad_diff(model, reference, batches, hyper):
    forget, _ = grad_ascent(model, reference, batches, hyper)
    retain = retain_loss(model, batches)
    return forget + retain, {"forget_loss": forget, "retain_loss": retain}


def kl(model, reference, batches, hyper):
    forget, _ = grad_ascent(model, reference, batches, hyper)
    theirs = without_gradient(log_softmax, reference, batches["retain"])
    ours = log_softmax(model, batches["retain"])
    divergence = functional.kl_div(ours.flatten(0, 1), theirs.flatten(0, 1),
                                   reduction="batchmean", log_target=True)
    return forget + divergence, {"forget_loss": forget, "kl": divergence}


def idk(model, reference, batches, hyper):
    losses, count = 0, 0
    for kind in ("idk", "retain"):
        labels = retain_labels(batches, kind)
        losses = losses + sequence_losses(model, batches[kind], labels).sum()
        count = count + (labels[:, 1:] != IGNORE).sum()
    return losses / count, {}


def tpo(model, reference, batches, hyper):
    batch = batches["forget"]
    unwanted = forget_labels(batches, hyper)
    answer = torch.tensor(batch["answer_labels"])
    end = torch.tensor(batch["general_labels"]).where(answer == IGNORE, IGNORE)
    general = answer.where(unwanted == IGNORE, IGNORE).where(answer != IGNORE, end)

    def unwanted_logits(logits):  # mean over each row's unwanted tokens
        target = unwanted[:, 1:]
        mask = target != IGNORE
        chosen = logits[:, :-1].gather(2, target.clamp(min=0).unsqueeze(2)).squeeze(2)
        return (chosen * mask).sum(1) / mask.sum(1)

    logits = logits_of(model, batch)
    theirs = without_gradient(logits_of, reference, batch)
    lpl = unwanted_logits(theirs).mean() - unwanted_logits(logits).mean()
    preservation = token_losses(logits, general).sum(1).mean()
    loss = -2 / hyper["beta"] * functional.logsigmoid(hyper["beta"] * lpl) + preservation
    return loss, {"lpl": lpl, "preservation_loss": preservation}


def log_ratio(model, reference, batch, labels):
    """log pi(labels) - log pi_reference(labels) of each row."""
    theirs = without_gradient(sequence_losses, reference, batch, labels)
    return theirs - sequence_losses(model, batch, labels)


def preference_loss(advantage, hyper):
    return -2 / hyper["beta"] * functional.logsigmoid(advantage).mean()


def dpo(model, reference, batches, hyper):
    wanted = log_ratio(model, reference, batches["idk"], retain_labels(batches, "idk"))
    unwanted = log_ratio(model, reference, batches["forget"], forget_labels(batches, hyper))
    return preference_loss(hyper["beta"] * (wanted - unwanted), hyper), {}


def kto_logsigmoid(model, reference, batches, hyper):
    term = without_gradient(log_ratio, model, reference, batches["idk"],
                            retain_labels(batches, "idk")).mean()
    unwanted = log_ratio(model, reference, batches["forget"], forget_labels(batches, hyper))
    return 1 + preference_loss(term - hyper["beta"] * unwanted, hyper), {"kl_term": term}


def npo(model, reference, batches, hyper):
    unwanted = log_ratio(model, reference, batches["forget"], forget_labels(batches, hyper))
    loss = preference_loss(-hyper["beta"] * unwanted, hyper)
    return loss, {"forget_loss": loss}


def simnpo(model, reference, batches, hyper):
    labels = forget_labels(batches, hyper)
    losses = sequence_losses(model, batches["forget"], labels) / (labels != IGNORE).sum(1)
    loss = preference_loss(hyper["beta"] * (losses - hyper["gamma"]), hyper)
    return loss, {"forget_loss": loss}


def plus_retain(objective, weighted):
    """objective + CE_mean(retain), or with the coefficients of both where `weighted`."""
    def compute(model, reference, batches, hyper):
        forget, parts = objective(model, reference, batches, hyper)
        retain = retain_loss(model, batches)
        parts = {**parts, "retain_loss": retain}
        if weighted:
            return hyper["npo_coeff"] * forget + hyper["grad_diff_coeff"] * retain, parts
        return forget + retain, parts
    return compute


OBJECTIVES = {
    "grad_ascent": ("-CE_mean(forget)", grad_ascent),
    "grad_diff": ("-CE_mean(forget)+CE_mean(retain)", grad_diff),
    "KL": ("-CE_mean(forget)+KL(reference||policy) over every position of the retain batch, "
           "batchmean over B*T positions", kl),
    "idk": ("CE_mean over the concatenation of the idk and retain batches", idk),
    "tpo": ("-2/beta*logsigmoid(beta*lpl)+preservation; "
            "lpl=mean_b(mean_UW(z_ref))-mean_b(mean_UW(z)); preservation=mean_b(sum_GW CE), "
            "GW = answer tokens not in UW plus the first padding token as end of sequence", tpo),
    "tpo_grad_diff": ("tpo + CE_mean(retain)", plus_retain(tpo, False)),
    "dpo": ("-2/beta*mean logsigmoid(beta*((log pi(idk)-log pi(forget))"
            "-(log ref(idk)-log ref(forget))))", dpo),
    "dpo_grad_diff": ("dpo + CE_mean(retain)", plus_retain(dpo, False)),
    "kto_logsigmoid": ("1-2/beta*mean logsigmoid(KL-beta*(log pi(forget)-log ref(forget))), "
                       "KL=mean(log pi(idk)-log ref(idk)) without gradient", kto_logsigmoid),
    "kto_logsigmoid_grad_diff": ("kto_logsigmoid + CE_mean(retain)",
                                 plus_retain(kto_logsigmoid, False)),
    "npo": ("-2/beta*mean logsigmoid(beta*(NLL(forget)-NLL_ref(forget)))", npo),
    "npo_grad_diff": ("npo_coeff*npo+grad_diff_coeff*CE_mean(retain)", plus_retain(npo, True)),
    "simnpo": ("-2/beta*mean logsigmoid(beta*(NLL(forget)/count-gamma)), "
               "count = labels != -100 before the shift", simnpo),
    "simnpo_grad_diff": ("npo_coeff*simnpo+grad_diff_coeff*CE_mean(retain)",
                         plus_retain(simnpo, True)),
    "cross_entropy": ("CE_mean(forget, unmasked answer labels)", cross_entropy),
}


def grad_norms(model):
    return {name: p.grad.norm().item() for name, p in model.named_parameters()}


def total_norm(model):
    return torch.stack([p.grad.norm() for p in model.parameters()]).norm().item()
